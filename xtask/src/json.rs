//! Whether a text is JSON.

/// Checks that a text is one JSON value or several, as RFC 8259 has them.
///
/// # Errors
///
/// Where it is not.
pub(crate) fn check(text: &str) -> Result<(), String> {
    let mut reader = Reader { text: text.as_bytes(), at: 0 };
    loop {
        if reader.value().is_none() {
            let before = String::from_utf8_lossy(&reader.text[..reader.at]);
            let line = before.lines().last().unwrap_or_default();
            return Err(format!("not JSON at byte {}, after {line:?}", reader.at));
        }
        reader.space();
        if reader.at == text.len() {
            return Ok(());
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Option<()> {
        self.space();
        match self.text.get(self.at)? {
            b'{' => self.list(b'}', |reader| {
                reader.space();
                reader.string()?;
                reader.space();
                reader.literal(b":")?;
                reader.value()
            }),
            b'[' => self.list(b']', Reader::value),
            b'"' => self.string(),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            _ => self.number(),
        }
    }

    fn list(&mut self, end: u8, item: fn(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        self.space();
        if self.literal(&[end]).is_some() {
            return Some(());
        }
        loop {
            item(self)?;
            self.space();
            if self.literal(&[end]).is_some() {
                return Some(());
            }
            self.literal(b",")?;
        }
    }

    fn string(&mut self) -> Option<()> {
        self.literal(b"\"")?;
        loop {
            match self.text.get(self.at)? {
                b'"' => {
                    self.at += 1;
                    return Some(());
                }
                b'\\' => {
                    self.text.get(self.at + 1)?;
                    self.at += 2;
                }
                0..=0x1f => return None,
                _ => self.at += 1,
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().take_while(|byte| in_number(byte)).count();
        // Rust's grammar is the wider one: it takes a leading plus and zeros, and a missing digit
        // beside the point.
        std::str::from_utf8(&rest[..length]).ok()?.parse::<f64>().ok()?;
        self.at += length;
        Some(())
    }

    fn literal(&mut self, literal: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(literal).then(|| self.at += literal.len())
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(|byte| b" \t\r\n".contains(byte)) {
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn json_is_taken() {
        for text in [
            "{}",
            " [] ",
            r#"{"a": [1, -2.5e3, true, null], "b\"}": {"c": "\\"}}"#,
            "{\"backend\": \"poll\"}\n{\"backend\": \"select\"}\n",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\" 1}", "NaN", "[1 2]", "\"open", "{'a': 1}", "1.2.3"] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
