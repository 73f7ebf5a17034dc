//! Lines of a limited length, out of whatever bytes come.

use std::io;

use futures_lite::io::BufReader;
use futures_lite::{AsyncBufReadExt, AsyncRead, AsyncReadExt};

/// How many bytes a line may have that is sent to the server.
pub const LONGEST: usize = 1024;
/// The same for a line that comes from the server: the name stands before it, and what was replaced
/// is three bytes long.
pub const LONGEST_WITH_NAME: usize = 4 * LONGEST;

pub struct Lines<R> {
    reader: BufReader<R>,
    longest: usize,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Without a limit, one end could fill the memory of the other.
    pub fn new(reader: R, longest: usize) -> Lines<R> {
        Lines { reader: BufReader::new(reader), longest }
    }

    /// The next line, or None at the end. It is fit to be shown: bytes that are not UTF-8, and
    /// control characters, which could play tricks with a terminal, are replaced.
    ///
    /// Dropping the future may lose the beginning of a line.
    pub async fn next(&mut self) -> io::Result<Option<String>> {
        let mut bytes = Vec::new();
        let limit = self.longest as u64 + 1;
        if (&mut self.reader).take(limit).read_until(b'\n', &mut bytes).await? == 0 {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        if bytes.len() > self.longest {
            let message = format!("a line may have {} bytes at most", self.longest);
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let text = String::from_utf8_lossy(&bytes);
        let shown = |character: char| match character {
            '\t' => ' ',
            character if character.is_control() => char::REPLACEMENT_CHARACTER,
            character => character,
        };
        Ok(Some(text.trim_end_matches('\r').chars().map(shown).collect()))
    }
}
