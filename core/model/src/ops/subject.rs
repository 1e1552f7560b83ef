//! What an object is, in one word that can be stored and compared: for rows that can be about objects of any kind.

use meetme_base::Kind;
use meetme_store::Resource as _;

use crate::routing::{Template, TemplatePurpose};

/// The word for objects of a kind: its name, and for templates, which are shown as several things, behind a dot what they make.
pub fn subject(kind: Kind, purpose: Option<TemplatePurpose>) -> String {
    match purpose.filter(|_| kind == Template::KIND) {
        Some(purpose) => format!("{}.{}", kind.name(), purpose.word()),
        None => kind.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_templates_have_a_second_word() {
        assert_eq!(subject(Template::KIND, Some(TemplatePurpose::Mail)), "template.mail");
        assert_eq!(subject(Kind::new("router"), None), "router");
    }
}
