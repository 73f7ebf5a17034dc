//! The figures as JSON.

use super::measured::Measured;

/// An array of rows, each on a line of its own.
pub(super) fn of(measured: &Measured) -> String {
    let rows = measured.rows().map(|row| serde_json::to_string(&row).expect("a row is plain data"));
    format!("[\n{}\n]\n", rows.collect::<Vec<_>>().join(",\n"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::compare::measured::tests::compared;

    #[test]
    fn every_row_is_complete() {
        let figures: [(&str, &[f64]); 2] = [("raw-epoll", &[1.0, 2.0]), ("a \"b\"", &[3.5])];
        let text = of(&Measured(vec![compared("echo", "tcp", &figures)]));
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(rows.len(), 2);
        for row in &rows {
            let keys = row.as_object().unwrap().keys();
            for key in ["work", "case", "system", "metric", "unit"] {
                assert!(row[key].is_string(), "{key} of {row}");
            }
            for key in ["median", "low", "high"] {
                assert!(row[key].is_f64(), "{key} of {row}");
            }
            assert!(row["runs"].is_u64());
            assert_eq!(keys.len(), 9);
        }
        assert_eq!(rows[1]["system"], "a \"b\"");
        assert_eq!(rows[0]["runs"], 2);
    }

    #[test]
    fn nothing_measured_is_an_empty_array() {
        let rows: Vec<Value> = serde_json::from_str(&of(&Measured(Vec::new()))).unwrap();
        assert!(rows.is_empty());
    }
}
