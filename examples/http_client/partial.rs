//! A file that is fetched in parts. Everything here blocks, and runs on the thread pool.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::Result;

/// The file that is to be, what there is of it, and what that is a part of.
#[derive(Clone)]
pub struct Partial {
    output: PathBuf,
    part: PathBuf,
    /// Beside the part: the URL and the validator that it came with.
    origin: PathBuf,
}

/// What an earlier fetch has left.
pub struct Left {
    pub length: u64,
    /// What the server called this version of the document: an ETag, or a date.
    pub validator: String,
}

impl Partial {
    /// # Errors
    ///
    /// When the output is something that a file must not take the place of, or has no folder.
    pub fn new(output: &Path) -> Result<Partial> {
        let explain = |what: &str| format!("{}: {what}", output.display());
        match fs::metadata(output) {
            Ok(there) if there.is_dir() => return Err(explain("is a folder; name a file in it")),
            Ok(there) if !there.is_file() => {
                return Err(explain("is there, and is no file"));
            }
            _ => {}
        }
        if output.file_name().is_none() {
            return Err(explain("names no file"));
        }
        if !folder(output).is_dir() {
            return Err(explain("there is no such folder"));
        }
        Ok(Partial {
            output: output.to_owned(),
            part: with_ending(output, ".part"),
            origin: with_ending(output, ".part.origin"),
        })
    }

    /// What there is of this URL, and which version of it. A part of anything else is of no use.
    pub fn left(&self, url: &str) -> Option<Left> {
        let origin = fs::read_to_string(&self.origin).ok()?;
        let validator = origin.strip_prefix(url)?.strip_prefix('\n')?.to_owned();
        let length = fs::metadata(&self.part).ok().filter(|part| part.is_file())?.len();
        (length > 0 && !validator.is_empty()).then_some(Left { length, validator })
    }

    /// Begins anew. What comes can be continued later if it has a validator.
    pub fn begin(&self, url: &str, validator: Option<&str>) -> Result<File> {
        // The part of another version must never be found with the validator of this one.
        self.forget()?;
        let file = File::create(&self.part).map_err(|error| self.explain(&error))?;
        if let Some(validator) = validator {
            let origin = format!("{url}\n{validator}");
            fs::write(&self.origin, origin).map_err(|error| self.explain(&error))?;
        }
        Ok(file)
    }

    /// Goes on where an earlier fetch was cut off.
    pub fn resume(&self, length: u64) -> Result<File> {
        let open = || {
            let mut file = File::options().write(true).open(&self.part)?;
            file.set_len(length)?;
            file.seek(SeekFrom::Start(length))?;
            io::Result::Ok(file)
        };
        open().map_err(|error| self.explain(&error))
    }

    /// Gives the file its name, when all of it is on the disk.
    pub fn complete(&self, file: &File) -> Result<()> {
        let complete = || {
            file.sync_all()?;
            fs::rename(&self.part, &self.output)?;
            // The name is on the disk when the folder is.
            if cfg!(unix) { File::open(folder(&self.output))?.sync_all() } else { Ok(()) }
        };
        complete().map_err(|error| self.explain(&error))?;
        self.forget()
    }

    fn forget(&self) -> Result<()> {
        match fs::remove_file(&self.origin) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.explain(&error)),
            _ => Ok(()),
        }
    }

    pub fn explain(&self, error: &io::Error) -> String {
        let hint = match error.kind() {
            io::ErrorKind::StorageFull => "; make room, and run this again",
            _ => "",
        };
        format!("{}: {error}{hint}", self.part.display())
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
