//! What a controller says when it refuses: the error object of DSP0266 section 8.6, in which the message that matters is often not
//! the first.

use serde_json::Value;

/// The longest text that is passed on.
const LONGEST: usize = 1000;

/// Every message of an error, each once, with what to do about it where the controller says so; none where there is no such object.
pub(crate) fn messages(body: &Value) -> Option<String> {
    let error = body.get("error")?;
    let extended = error.get("@Message.ExtendedInfo");
    // Some controllers send one object in place of the list.
    let list: Vec<&Value> = match extended {
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => Vec::new(),
    };
    let mut out: Vec<String> = Vec::new();
    for one in list {
        let text = |key: &str| one.get(key).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
        let Some(message) = text("Message").or_else(|| text("MessageId")) else { continue };
        let resolution = text("Resolution").filter(|r| !r.eq_ignore_ascii_case("none") && !r.starts_with("None."));
        let line = resolution.map_or_else(|| message.to_owned(), |r| format!("{message} {r}"));
        if !out.contains(&line) {
            out.push(line);
        }
    }
    if out.is_empty() {
        out.extend(error.get("message").and_then(Value::as_str).map(str::to_owned));
    }
    let all = out.join(" ");
    (!all.is_empty()).then(|| all.chars().take(LONGEST).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_extended_messages_are_told_and_the_general_one_where_there_are_none() {
        let body = json!({"error": {"code": "Base.1.8.GeneralError", "message": "See ExtendedInfo.",
            "@Message.ExtendedInfo": [
                {"MessageId": "Base.1.8.PropertyValueNotInList", "Message": "The value Pxx is not in the list.",
                 "Resolution": "Choose a value from the list."},
                {"Message": "The value Pxx is not in the list.", "Resolution": "Choose a value from the list."},
                {"MessageId": "Base.1.8.Other", "Resolution": "None"}]}});
        let said = messages(&body).unwrap();
        assert_eq!(said, "The value Pxx is not in the list. Choose a value from the list. Base.1.8.Other");
        assert_eq!(messages(&json!({"error": {"message": "No."}})).unwrap(), "No.");
        let one = json!({"error": {"@Message.ExtendedInfo": {"Message": "Not a list."}}});
        assert_eq!(messages(&one).unwrap(), "Not a list.");
        assert_eq!(messages(&json!({"detail": "x"})), None);
    }
}
