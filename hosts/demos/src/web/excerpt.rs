//! The beginning of a body, as text that a window can bear.

use std::str::Utf8Error;

/// How long a line may be, in characters: text views lay out a whole line at a time.
const WIDTH: usize = 1000;

/// The beginning of a body, as text for a text view, which is slow with what is long, and takes no NUL.
/// Lines that are too long are broken. What is no UTF-8, and what is no character to be seen, is `\u{fffd}`.
///
/// ```
/// let mut excerpt = interloop_demos::web::Excerpt::new(10);
/// assert_eq!(excerpt.push("caf\u{e9} \0\r\n".as_bytes()), "caf\u{e9} \u{fffd}\n");
/// assert_eq!(excerpt.push(b"and more"), "and");
/// assert!(excerpt.is_full());
/// ```
#[derive(Debug)]
pub struct Excerpt {
    /// How many characters it still takes.
    left: usize,
    /// How many there are in the last line.
    width: usize,
    /// The begin of a character whose end has not come yet.
    begun: Vec<u8>,
}

impl Excerpt {
    /// Takes up to this many characters.
    pub fn new(limit: usize) -> Excerpt {
        Excerpt { left: limit, width: 0, begun: Vec::new() }
    }

    /// True when it takes no more.
    pub fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Takes the next bytes, and gives the text that they add.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        if self.is_full() {
            return String::new();
        }
        let mut joined = std::mem::take(&mut self.begun);
        joined.extend_from_slice(bytes);
        let mut text = String::new();
        let mut chunks = joined.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            chunk.valid().chars().for_each(|character| self.add(character, &mut text));
            let is_last = chunks.peek().is_none();
            if is_last && is_begin(chunk.invalid()) {
                self.begun = chunk.invalid().to_vec();
            } else if !chunk.invalid().is_empty() {
                self.add(char::REPLACEMENT_CHARACTER, &mut text);
            }
        }
        text
    }

    fn add(&mut self, character: char, text: &mut String) {
        let shown = match character {
            '\r' => return,
            '\n' | '\t' => character,
            character if character.is_control() => char::REPLACEMENT_CHARACTER,
            character => character,
        };
        if self.left == 0 {
            return;
        }
        if self.width == WIDTH && shown != '\n' {
            text.push('\n');
            self.width = 0;
        }
        text.push(shown);
        self.left -= 1;
        self.width = if shown == '\n' { 0 } else { self.width + 1 };
    }
}

/// True when more bytes may make a character of it.
fn is_begin(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && std::str::from_utf8(bytes).as_ref().map_err(Utf8Error::error_len) == Err(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_come_in_parts_are_put_together() {
        let text = "a\u{e9}\u{20ac}\u{1f600}z";
        let mut excerpt = Excerpt::new(100);
        let pushed: String = text.bytes().map(|byte| excerpt.push(&[byte])).collect();
        assert_eq!(pushed, text);
    }

    #[test]
    fn what_is_no_text_can_be_shown_all_the_same() {
        let mut excerpt = Excerpt::new(100);
        assert_eq!(excerpt.push(b"\xff\xe2"), "\u{fffd}");
        assert_eq!(excerpt.push(b"\x82z\x00\x1b"), "\u{fffd}z\u{fffd}\u{fffd}");
    }

    #[test]
    fn lines_that_are_too_long_are_broken() {
        let mut excerpt = Excerpt::new(10 * WIDTH);
        let text: String = (0..5).map(|_| excerpt.push(&[b'x'; WIDTH / 2])).collect();
        let lengths: Vec<_> = text.lines().map(str::len).collect();
        assert_eq!(lengths, [WIDTH, WIDTH, WIDTH / 2]);
        assert_eq!(excerpt.push(b"\n1\n"), "\n1\n");
    }

    #[test]
    fn it_is_full_at_its_limit_however_much_comes() {
        let mut excerpt = Excerpt::new(3);
        assert_eq!(excerpt.push(&[b'x'; 1 << 20]), "xxx");
        assert!(excerpt.is_full());
        assert_eq!(excerpt.push(b"x"), "");
    }
}
