//! Letters of three by five dots, so that the program needs no font.

/// How many dots a letter takes, with the gap to the next.
pub const ADVANCE: usize = 4;

const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

const LETTERS: [[u8; 5]; 26] = [
    [2, 5, 7, 5, 5],
    [6, 5, 6, 5, 6],
    [3, 4, 4, 4, 3],
    [6, 5, 5, 5, 6],
    [7, 4, 6, 4, 7],
    [7, 4, 6, 4, 4],
    [3, 4, 5, 5, 3],
    [5, 5, 7, 5, 5],
    [7, 2, 2, 2, 7],
    [1, 1, 1, 5, 2],
    [5, 5, 6, 5, 5],
    [4, 4, 4, 4, 7],
    [5, 7, 7, 5, 5],
    [6, 5, 5, 5, 5],
    [2, 5, 5, 5, 2],
    [6, 5, 6, 4, 4],
    [2, 5, 5, 6, 3],
    [6, 5, 6, 5, 5],
    [3, 4, 2, 1, 6],
    [7, 2, 2, 2, 2],
    [5, 5, 5, 5, 7],
    [5, 5, 5, 5, 2],
    [5, 5, 7, 7, 5],
    [5, 5, 2, 5, 5],
    [5, 5, 2, 2, 2],
    [7, 1, 2, 4, 7],
];

/// The rows of a letter from the top, each with its dots in three bits, the leftmost highest.
fn rows(letter: u8) -> [u8; 5] {
    match letter.to_ascii_uppercase() {
        digit @ b'0'..=b'9' => DIGITS[usize::from(digit - b'0')],
        letter @ b'A'..=b'Z' => LETTERS[usize::from(letter - b'A')],
        b'.' => [0, 0, 0, 0, 2],
        b':' => [0, 2, 0, 2, 0],
        b'%' => [5, 1, 2, 4, 5],
        b'-' => [0, 0, 7, 0, 0],
        _ => [0; 5],
    }
}

/// The dots of a text: to the right, and down.
pub fn dots(text: &str) -> impl Iterator<Item = (usize, usize)> {
    text.bytes().enumerate().flat_map(|(place, letter)| {
        rows(letter).into_iter().enumerate().flat_map(move |(y, row)| {
            let set = (0..3).filter(move |x| row & (4 >> x) != 0);
            set.map(move |x| (place * ADVANCE + x, y))
        })
    })
}
