//! The folder that is served. Everything here blocks, and runs on the thread pool.

use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::listing;

/// The content types that are known by the end of a name.
const TYPES: [(&str, &str); 16] = [
    ("css", "text/css; charset=utf-8"),
    ("gif", "image/gif"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mp4", "video/mp4"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("xml", "application/xml"),
];

#[derive(Clone)]
pub struct Site {
    root: PathBuf,
}

/// What a path leads to.
pub enum Found {
    File {
        file: File,
        length: u64,
        /// Changes when the file does.
        tag: String,
        content_type: &'static str,
    },
    /// A folder, as a page of HTML.
    Listing(String),
    /// A folder whose path lacks the slash at its end, without which its links lead elsewhere.
    NeedsSlash,
}

impl Site {
    /// # Errors
    ///
    /// With the folder, when there is none.
    pub fn open(root: &Path) -> io::Result<Site> {
        let explain = |error: io::Error| {
            io::Error::new(error.kind(), format!("--root {}: {error}", root.display()))
        };
        let canonical = root.canonicalize().map_err(explain)?;
        fs::read_dir(&canonical).map_err(explain)?;
        Ok(Site { root: canonical })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Looks for what a decoded path of a request means.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` for what lies outside of the root, be it by `..` or by a symbolic link, and
    /// for what is neither a file nor a folder; and what the operating system said.
    pub fn find(&self, path: &str) -> io::Result<Found> {
        let relative = Path::new(path.trim_start_matches('/'));
        let is_plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if !relative.components().all(is_plain) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let mut real = self.inside(&self.root.join(relative))?;
        if real.is_dir() {
            if !path.ends_with('/') {
                return Ok(Found::NeedsSlash);
            }
            match self.inside(&real.join("index.html")) {
                Ok(index) => real = index,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Found::Listing(listing::page(path, &real)?));
                }
                Err(error) => return Err(error),
            }
        }
        // To open a pipe would wait until somebody writes to it.
        if !real.is_file() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let file = File::open(&real)?;
        let about = file.metadata()?;
        let modified = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        let tag = format!("\"{:x}-{:x}\"", modified.as_nanos(), about.len());
        Ok(Found::File { file, length: about.len(), tag, content_type: content_type(&real) })
    }

    /// The path without symbolic links, if that is inside of the root.
    fn inside(&self, path: &Path) -> io::Result<PathBuf> {
        let real = path.canonicalize()?;
        if real.starts_with(&self.root) {
            Ok(real)
        } else {
            Err(io::ErrorKind::PermissionDenied.into())
        }
    }
}

fn content_type(path: &Path) -> &'static str {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let known = TYPES.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
    known.map_or("application/octet-stream", |(_, content_type)| content_type)
}
