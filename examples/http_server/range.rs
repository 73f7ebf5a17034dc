//! The part of a file that a request asks for.

/// What the header `Range` asks of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Part {
    Whole,
    /// From one offset on, so many bytes.
    Range {
        start: u64,
        length: u64,
    },
    /// Nothing of it is there.
    Unsatisfiable,
}

/// Reads `bytes=0-99`, `bytes=100-` and `bytes=-100`. Several ranges, and what is not understood, are
/// ignored, as a server may.
pub fn part(header: Option<&str>, total: u64) -> Part {
    let Some((first, last)) = header.and_then(split) else { return Part::Whole };
    let (start, end) = match (first, last) {
        (Some(first), Some(last)) if last < first => return Part::Whole,
        (Some(first), last) => {
            (first, last.map_or(total, |last| total.min(last.saturating_add(1))))
        }
        (None, Some(count)) => (total.saturating_sub(count), total),
        (None, None) => return Part::Whole,
    };
    if start >= end {
        return Part::Unsatisfiable;
    }
    Part::Range { start, length: end - start }
}

fn split(header: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (first, last) = header.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| match text {
        "" => Some(None),
        text if text.bytes().all(|digit| digit.is_ascii_digit()) => text.parse().ok().map(Some),
        _ => None,
    };
    Some((number(first)?, number(last)?))
}
