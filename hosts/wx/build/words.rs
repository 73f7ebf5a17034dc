//! What wx-config says to a linker, in cargo's terms. A build script's libraries reach the program that is linked
//! in the end, and its arguments do not.

use std::path::Path;

/// The lines for cargo, in the order of the words: it is that in which archives are searched.
///
/// # Errors
///
/// Names a word that is neither a library nor a flag.
pub fn lines(words: &str) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    let mut words = words.split_whitespace();
    while let Some(word) = words.next() {
        if let Some(folder) = word.strip_prefix("-L") {
            lines.push(search(folder));
        } else if let Some(library) = word.strip_prefix("-l") {
            lines.push(format!("cargo::rustc-link-lib={library}"));
        } else if word == "-pthread" {
            lines.push("cargo::rustc-link-lib=pthread".to_owned());
        } else if word == "-framework" {
            let framework = words.next().ok_or("a -framework without its name")?;
            lines.push(format!("cargo::rustc-link-lib=framework={framework}"));
        } else if word.starts_with('-') {
            lines.push(format!("cargo::rustc-link-arg={word}"));
            lines.push(format!(
                "cargo::warning=wx-config asks for {word}, which reaches no program that depends on this package: \
                 where it is needed, its own build script passes it on"
            ));
        } else {
            let file = file(word)?;
            // rustc refuses an archive that it is given twice. The last is behind all that need it.
            lines.retain(|line| !file.contains(line));
            lines.extend(file);
        }
    }
    Ok(lines)
}

fn search(folder: &str) -> String {
    format!("cargo::rustc-link-search=native={folder}")
}

/// A library by its path, as a static wxWidgets is: it is left where it is, for a program in C++ may link it too.
fn file(path: &str) -> Result<[String; 2], String> {
    let parts = || {
        let path = Path::new(path);
        let kind = match path.extension()?.to_str()? {
            "a" => "static:-bundle",
            "so" | "dylib" => "dylib",
            _ => return None,
        };
        let name = path.file_stem()?.to_str()?.strip_prefix("lib")?;
        Some((path.parent()?.to_str()?, kind, name))
    };
    let (folder, kind, name) = parts()
        .ok_or_else(|| format!("no library has the name of `{path}`, which wx-config asks for"))?;
    Ok([search(folder), format!("cargo::rustc-link-lib={kind}={name}")])
}
