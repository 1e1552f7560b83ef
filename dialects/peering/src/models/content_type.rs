//! What an object is, in this dialect's words: `peering.autonomoussystem`, or a number. The core has words of its own, the names of
//! kinds; a kind that is shown as several models has one for each.

use std::sync::LazyLock;

use meetme_model::{ops::subject, routing::TemplatePurpose};

use super::ALL;
use crate::{engine::AnyModel, model::About};

/// The core's words with their models.
static WORDS: LazyLock<Vec<(String, &'static dyn AnyModel)>> =
    LazyLock::new(|| ALL.iter().map(|model| (subject(model.about().kind, purpose(model.about())), *model)).collect());

/// What the templates that a model shows are for; nothing for models of other rows.
pub fn purpose(about: &About) -> Option<TemplatePurpose> {
    match about.name {
        "Configuration" => Some(TemplatePurpose::Router),
        "Email" => Some(TemplatePurpose::Mail),
        "ExportTemplate" => Some(TemplatePurpose::Export),
        _ => None,
    }
}

/// The model that shows what the core calls by this word.
pub fn of(word: &str) -> Option<&'static dyn AnyModel> {
    WORDS.iter().find(|(known, _)| known == word).map(|(_, model)| *model)
}

/// The core's word for what a model shows.
pub fn word(model: &'static dyn AnyModel) -> String {
    subject(model.about().kind, purpose(model.about()))
}

/// The model of a content type, by its name or its number.
pub fn find(text: &str) -> Option<&'static dyn AnyModel> {
    let number: Option<i64> = text.parse().ok();
    ALL.iter().copied().find(|model| match number {
        Some(number) => model.about().number == number,
        None => model.about().content_type() == text,
    })
}

/// How a word of the core is spelled here; nothing for what no model shows.
pub fn spelled(word: &str) -> Option<String> {
    of(word).map(|model| model.about().content_type())
}

/// The core's word for a content type that somebody sent. The error is the text of the refusal.
pub fn read(text: Option<&str>) -> Result<String, String> {
    let text = text.unwrap_or_default().trim();
    if text.split_once('.').is_none_or(|(app, model)| app.is_empty() || model.is_empty()) {
        return Err("Invalid value. Specify a content type as '<app_label>.<model_name>'.".to_owned());
    }
    match find(&text.to_ascii_lowercase()) {
        Some(model) => Ok(word(model)),
        None => Err(format!("Invalid content type: {text}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_has_a_word_a_name_and_a_number_of_its_own() {
        for model in ALL {
            let about = model.about();
            let (name, number) = (about.content_type(), about.number.to_string());
            for found in [of(&word(*model)), find(&name), find(&number)] {
                assert_eq!(found.map(|found| found.about().name), Some(about.name));
            }
            assert_eq!(spelled(&word(*model)), Some(name));
        }
    }

    #[test]
    fn what_is_no_content_type_is_refused_with_a_reason() {
        assert_eq!(read(Some("peering.AutonomousSystem")), Ok("autonomous_system".to_owned()));
        assert_eq!(read(Some("messaging.email")), Ok("template.mail".to_owned()));
        assert_eq!(read(Some("auth.nothing")), Err("Invalid content type: auth.nothing".to_owned()));
        for bad in [None, Some(""), Some("router"), Some("."), Some("7")] {
            assert!(read(bad).unwrap_err().starts_with("Invalid value."), "{bad:?}");
        }
    }
}
