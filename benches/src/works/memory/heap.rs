//! How much a process has grown.
#![allow(unsafe_code)]

use std::fs;
use std::io;

use crate::compare::Figure;

/// What is in use.
#[derive(Clone, Copy)]
struct Usage {
    heap: usize,
    pages: usize,
}

/// By how much that has grown.
pub(super) struct Grown(Usage);

/// Makes `count` things and says what they take, with the list that holds them.
pub(super) fn grown<T>(
    count: usize,
    mut make: impl FnMut(usize) -> io::Result<T>,
) -> io::Result<Grown> {
    // What is made once, by the first of them, is not theirs.
    let _first = make(0)?;
    let before = usage()?;
    let mut made = Vec::with_capacity(count);
    for index in 1..=count {
        made.push(make(index)?);
    }
    let after = usage()?;
    drop(made);
    let growth = |before: usize, after: usize| after.saturating_sub(before);
    Ok(Grown(Usage {
        heap: growth(before.heap, after.heap),
        pages: growth(before.pages, after.pages),
    }))
}

impl Grown {
    pub(super) fn figures(&self, count: usize) -> Vec<Figure> {
        let each = |bytes: usize| bytes as f64 / count as f64;
        vec![
            Figure::new("bytes", "bytes", each(self.0.heap)),
            Figure::new("resident", "bytes", each(self.0.pages)),
        ]
    }
}

fn usage() -> io::Result<Usage> {
    Ok(Usage { heap: heap(), pages: resident()? })
}

/// What the C library's allocator has given out, on all threads. Rust's allocator is that.
#[cfg(target_env = "gnu")]
fn heap() -> usize {
    // SAFETY: it takes nothing, and locks what it counts.
    let all = unsafe { libc::mallinfo2() };
    all.uordblks + all.hblkhd
}

/// Only glibc counts: elsewhere the pages have to do.
#[cfg(not(target_env = "gnu"))]
fn heap() -> usize {
    0
}

fn resident() -> io::Result<usize> {
    let statm = fs::read_to_string("/proc/self/statm")?;
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok());
    let pages = pages.ok_or_else(|| io::Error::other("the kernel does not tell the pages"))?;
    Ok(pages * rustix::param::page_size())
}
