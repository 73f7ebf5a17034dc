//! A folder as a page, and the percent signs of URLs.

use std::fmt::Write;
use std::path::Path;
use std::{fs, io};

/// The page that lists a folder. Names that are not UTF-8 have no URL here, and are left out.
pub fn page(title: &str, folder: &Path) -> io::Result<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let slash = if entry.path().is_dir() { "/" } else { "" };
        names.extend(entry.file_name().into_string().ok().map(|name| name + slash));
    }
    names.sort();
    let title = escape(title);
    let mut page = format!("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n");
    page.push_str(&format!("<h1>{title}</h1>\n<ul>\n"));
    for name in names {
        // The dot keeps a name with a colon from being a scheme.
        page.push_str(&format!("<li><a href=\"./{}\">{}</a>\n", encode(&name), escape(&name)));
    }
    page.push_str("</ul>\n");
    Ok(page)
}

fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

/// A path as it is written in a URL.
pub fn encode(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _written = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// What a path in a URL means. None when a percent sign has no two digits, or it is not UTF-8.
pub fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut parts = path.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        // `from_str_radix` would take a sign too.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}
