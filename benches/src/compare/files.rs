//! The files that a run writes at its end.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::arguments::Arguments;
use super::measured::Measured;
use super::ratios::Verdict;
use super::{html, json, plot};

/// Where the figures are to go.
pub(super) struct Files<'a> {
    json: Option<&'a Path>,
    html: Option<&'a Path>,
    /// A folder.
    svg: Option<&'a Path>,
}

impl<'a> Files<'a> {
    /// Sees to it that all of them can be written, so that no run measures for minutes in vain. What is in
    /// a file stays there until the run has ended.
    pub(super) fn open(arguments: &'a Arguments) -> io::Result<Files<'a>> {
        let Arguments { json, html, svg, .. } = arguments;
        let [json, html, svg] = [json, html, svg].map(|path| path.as_deref());
        for file in [json, html].into_iter().flatten() {
            let opened = File::options().append(true).create(true).open(file);
            opened.map_err(|error| cannot_write(file, &error))?;
        }
        if let Some(folder) = svg {
            try_folder(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        Ok(Files { json, html, svg })
    }

    /// Writes each, though another could not be.
    pub(super) fn write(&self, measured: &Measured, verdicts: &[Verdict<'_>]) -> io::Result<()> {
        let json = self.json.map(|file| write(file, &json::of(measured)));
        let html = self.html.map(|file| write(file, &html::of(measured, verdicts)));
        let plots = self.svg.map(|folder| write_plots(folder, measured));
        [json, html, plots].into_iter().flatten().collect()
    }
}

/// Makes the folder, or sees whether files can be made in the one that is there.
fn try_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let probe = folder.join(".interloop-benches");
    File::create(&probe)?;
    fs::remove_file(probe)
}

/// A file for each metric of each comparison: `WORK-CASE-METRIC.svg`.
fn write_plots(folder: &Path, measured: &Measured) -> io::Result<()> {
    for comparison in &measured.0 {
        for (metric, _) in comparison.metrics() {
            let name = format!("{}-{}-{metric}.svg", comparison.work, comparison.case);
            let name = name.replace(['/', ' '], "-");
            write(&folder.join(name), &plot::alone(comparison, metric))?;
        }
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    fs::write(file, text).map_err(|error| cannot_write(file, &error))
}

fn cannot_write(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot write {}: {error}", file.display()))
}
