//! Case folding that is the same in memory, in SQLite and in PostgreSQL: done here, stored beside the text.

/// The form of a text in which case does not count: full Unicode lower case of the upper case, so that characters whose two
/// cases differ in number (`ß`, `ſ`) still meet.
pub fn fold(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_uppercase().to_lowercase() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn folding_forgets_case_beyond_ascii() {
        assert_eq!(super::fold("STRASSE ÄÖ"), super::fold("straße äö"));
        assert_eq!(super::fold("ΣΊΣΥΦΟΣ"), super::fold("σίσυφος"));
    }
}
