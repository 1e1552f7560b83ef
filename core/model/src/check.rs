//! Checks that many kinds share.

use meetme_base::Invalid;

/// The text is not empty and has at most `most` characters.
///
/// # Errors
/// Names the field.
pub fn name(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    if text.trim().is_empty() {
        return Err(Invalid::new(field, "blank", "This field may not be blank."));
    }
    length(field, text, most)
}

/// The text has at most `most` characters.
///
/// # Errors
/// Names the field.
pub fn length(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    let n = text.chars().count();
    if n > most {
        return Err(Invalid::new(
            field,
            "max_length",
            format!("Ensure this field has no more than {most} characters."),
        ));
    }
    Ok(())
}

/// The text is a slug: letters, digits, `_` and `-`, at most `most` of them.
///
/// # Errors
/// Names the field.
pub fn slug(field: &str, text: &str, most: usize) -> Result<(), Invalid> {
    name(field, text, most)?;
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        return Ok(());
    }
    Err(Invalid::new(field, "slug", "Enter a valid \"slug\" consisting of letters, numbers, underscores or hyphens."))
}

/// The number lies in a range.
///
/// # Errors
/// Names the field.
pub fn range<N: PartialOrd + std::fmt::Display>(field: &str, n: N, low: N, high: N) -> Result<(), Invalid> {
    if n < low {
        return Err(Invalid::new(field, "min_value", format!("Ensure this value is greater than or equal to {low}.")));
    }
    if n > high {
        return Err(Invalid::new(field, "max_value", format!("Ensure this value is less than or equal to {high}.")));
    }
    Ok(())
}
