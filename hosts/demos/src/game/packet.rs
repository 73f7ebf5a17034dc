//! What goes over the wire: one datagram, always of the same size, with all that its sender knows.

use super::arena::Point;
use super::session::Role;

/// What a packet begins with: the game and the version of its packets.
const MAGIC: [u8; 4] = *b"ilg1";
pub(super) const SIZE: usize = 52;

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Packet {
    pub(super) kind: Kind,
    pub(super) from: Role,
    /// The game, a number that the one who joins makes up: packets of an earlier one are passed over.
    pub(super) game: u32,
    pub(super) sequence: u32,
    /// The sender's clock in milliseconds.
    pub(super) sent: u32,
    /// The `sent` of the newest packet that the sender has, and how many milliseconds he has had it.
    pub(super) echo: u32,
    pub(super) held: u32,
    /// Where the sender is.
    pub(super) at: Point,
    /// What the host has decided. From the other it means nothing.
    pub(super) board: Board,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Kind {
    State,
    /// The sender leaves.
    Goodbye,
    /// The sender knows that the other leaves.
    Farewell,
}

/// The host's word.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Board {
    pub(super) coin: Point,
    /// The host's points, and those of the other.
    pub(super) score: [u32; 2],
}

impl Packet {
    pub(super) fn write(&self) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = match self.kind {
            Kind::State => 0,
            Kind::Goodbye => 1,
            Kind::Farewell => 2,
        };
        bytes[5] = match self.from {
            Role::Host => 0,
            Role::Guest => 1,
        };
        let [hosts, guests] = self.board.score;
        let words = [
            self.game,
            self.sequence,
            self.sent,
            self.echo,
            self.held,
            self.at.x.to_bits(),
            self.at.y.to_bits(),
            self.board.coin.x.to_bits(),
            self.board.coin.y.to_bits(),
            hosts,
            guests,
        ];
        for (bytes, word) in bytes[8..].chunks_exact_mut(4).zip(words) {
            bytes.copy_from_slice(&word.to_be_bytes());
        }
        bytes
    }

    /// None for what is not a packet of this game.
    pub(super) fn read(bytes: &[u8]) -> Option<Packet> {
        if bytes.len() != SIZE || bytes[..4] != MAGIC {
            return None;
        }
        let kind = match bytes[4] {
            0 => Kind::State,
            1 => Kind::Goodbye,
            2 => Kind::Farewell,
            _ => return None,
        };
        let from = match bytes[5] {
            0 => Role::Host,
            1 => Role::Guest,
            _ => return None,
        };
        let mut words = bytes[8..].chunks_exact(4).map(|word| {
            let word: [u8; 4] = word.try_into().expect("chunks of four");
            u32::from_be_bytes(word)
        });
        let mut word = || words.next().expect("eleven words");
        let (game, sequence, sent, echo, held) = (word(), word(), word(), word(), word());
        let mut point = || {
            let (x, y) = (f32::from_bits(word()), f32::from_bits(word()));
            // Whatever a stranger may send, it is a place.
            (x.is_finite() && y.is_finite()).then(|| Point { x, y }.inside())
        };
        let (at, coin) = (point()?, point()?);
        let board = Board { coin, score: [word(), word()] };
        Some(Packet { kind, from, game, sequence, sent, echo, held, at, board })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: Packet = Packet {
        kind: Kind::Goodbye,
        from: Role::Guest,
        game: 1,
        sequence: u32::MAX,
        sent: 3,
        echo: 4,
        held: 5,
        at: Point { x: 60.5, y: 70.25 },
        board: Board { coin: Point { x: 80.0, y: 90.0 }, score: [7, 8] },
    };

    #[test]
    fn what_was_written_is_read() {
        assert_eq!(Packet::read(&PACKET.write()), Some(PACKET));
    }

    #[test]
    fn what_is_no_packet_is_not_read() {
        let packet = PACKET.write();
        assert_eq!(Packet::read(&packet[1..]), None);
        assert_eq!(Packet::read(&[]), None);
        for (at, byte) in [(0, b'x'), (4, 9), (5, 9)] {
            let mut bytes = packet;
            bytes[at] = byte;
            assert_eq!(Packet::read(&bytes), None);
        }
        let nowhere = Packet { at: Point { x: f32::NAN, y: 0.0 }, ..PACKET };
        assert_eq!(Packet::read(&nowhere.write()), None);
    }

    #[test]
    fn a_place_is_inside_of_the_arena() {
        let far = Packet { at: Point { x: 1e30, y: -1e30 }, ..PACKET };
        let read = Packet::read(&far.write()).expect("a packet").at;
        assert_eq!(read, read.inside());
    }
}
