//! The API as a page for people: what was asked and answered, with its links to follow, and a form to ask more.
//!
//! The page needs nothing but itself. Its one style and its one script are in it and named by their hashes in the policy that goes
//! with it, so nothing that a row says can run. A token that is typed in stays in the tab.

use std::{fmt::Write as _, sync::LazyLock};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::{HeaderMap, StatusCode, header};
use meetme_http::Parts;
use serde_json::{Map, Value as Json};
use sha2::{Digest as _, Sha256};

use crate::{
    describe,
    engine::AnyModel,
    model::About,
    models, ops,
    page::Paging,
    schema::{self, fields::Face},
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What the page may do: run its own script, talk to this server, and nothing else.
pub static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| BASE64_STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; img-src data:; form-action \
         'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// An answer to be shown.
pub struct Shown<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a Json,
}

/// A text that means itself in HTML, also in a quoted attribute.
struct Plain<'a>(&'a str);

impl std::fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// The model that a path shows, and whether it is one row.
fn place(path: &str) -> Option<(&'static dyn AnyModel, bool)> {
    let path = path.strip_prefix("/api/")?.trim_end_matches('/');
    models::ALL.iter().copied().find_map(|model| {
        ops::places(model.about(), "").into_iter().find_map(|(_, place)| match path.strip_prefix(&place)? {
            "" => Some((model, false)),
            id => id.strip_prefix('/').filter(|id| !id.contains('/')).map(|_| (model, true)),
        })
    })
}

/// The page.
pub fn page(shown: &Shown<'_>, parts: &Parts) -> String {
    let path = parts.path();
    let place = place(path);
    let title = match place {
        _ if shown.status == StatusCode::NOT_FOUND => "Not Found".to_owned(),
        Some((model, is_row)) => describe::title(model.about(), !is_row),
        None => describe::place(path),
    };
    let mut out = String::with_capacity(16_384);
    // Writing into a String cannot fail.
    write(&mut out, shown, parts, place, &title).unwrap_or_default();
    out
}

fn write(
    out: &mut String,
    shown: &Shown<'_>,
    parts: &Parts,
    place: Option<(&'static dyn AnyModel, bool)>,
    title: &str,
) -> std::fmt::Result {
    let path = parts.path();
    let allow = shown.headers.get(header::ALLOW).and_then(|text| text.to_str().ok()).unwrap_or_default();
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<title>{0} – Peering API</title>\n<link rel=\"icon\" \
         href=\"data:,\">\n<style>{STYLE}</style>\n</head>\n<body data-status=\"{1}\">\n<header>\n<p><a \
         href=\"/api/\">Peering API</a> <a href=\"{2}swagger-ui/\">Try it</a> <a href=\"{2}redoc/\">Reference</a></p>\n",
        Plain(title),
        shown.status.as_u16(),
        schema::PATH,
    )?;
    crumbs(out, path)?;
    write!(out, "</header>\n<main>\n<h1>{}</h1>\n", Plain(title))?;
    out.push_str("<p class=\"ways\">");
    for method in allow.split(", ").filter(|method| matches!(*method, "GET" | "OPTIONS")) {
        write!(out, "<button type=\"button\" data-method=\"{method}\">{method}</button> ")?;
    }
    write!(out, "<a href=\"{}\">as JSON</a></p>\n", Plain(&json_link(parts)))?;
    if let Some((model, false)) = place {
        filters(out, model.about(), parts)?;
    }
    out.push_str("<section id=\"answer\" aria-live=\"polite\" aria-label=\"Answer\">\n");
    pages(out, shown.body, parts)?;
    let address = parts.uri.path_and_query().map_or(path, |address| address.as_str());
    write!(out, "<pre class=\"head\"><b>{} {}</b>\n", parts.method, Plain(address))?;
    let reason = shown.status.canonical_reason().unwrap_or_default();
    write!(out, "<b>HTTP {} {reason}</b>\n", shown.status.as_u16())?;
    for (name, value) in shown.headers {
        write!(out, "{}: {}\n", Plain(name.as_str()), Plain(&String::from_utf8_lossy(value.as_bytes())))?;
    }
    write!(out, "x-request-id: {}</pre>\n<pre class=\"body\">", parts.request_id)?;
    json(out, shown.body, 0)?;
    out.push_str("</pre>\n</section>\n");
    form(out, allow, place.map(|(model, _)| model), shown)?;
    write!(out, "</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n")
}

/// The way from the root to here.
fn crumbs(out: &mut String, path: &str) -> std::fmt::Result {
    out.push_str("<nav aria-label=\"Breadcrumb\"><ol>");
    let mut so_far = String::from("/");
    for part in path.split('/').filter(|part| !part.is_empty()) {
        so_far.push_str(part);
        so_far.push('/');
        let name = if part.bytes().all(|b| b.is_ascii_digit()) { part.to_owned() } else { describe::place(&so_far) };
        let here = if so_far == path { " aria-current=\"page\"" } else { "" };
        write!(out, "<li><a href=\"{}\"{here}>{}</a></li>", Plain(&so_far), Plain(&name))?;
    }
    out.push_str("</ol></nav>\n");
    Ok(())
}

/// The same question, to be answered as JSON.
fn json_link(parts: &Parts) -> String {
    let query =
        parts.uri.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&")).unwrap_or_default();
    format!("{}?{query}format=json", parts.path())
}

/// Where the pages before and after are, and which rows these are.
fn pages(out: &mut String, body: &Json, parts: &Parts) -> std::fmt::Result {
    let (Some(count), Some(rows)) = (body["count"].as_u64(), body["results"].as_array()) else { return Ok(()) };
    let offset = Paging::of(&parts.query).offset;
    out.push_str("<nav class=\"pages\" aria-label=\"Pages\">");
    match rows.len() as u64 {
        0 => write!(out, "No rows of {count}")?,
        shown => write!(out, "Rows {} to {} of {count}", offset + 1, offset + shown)?,
    }
    for (member, name) in [("previous", "Previous"), ("next", "Next")] {
        if let Some(link) = body[member].as_str() {
            write!(out, " <a rel=\"{0}\" href=\"{1}\">{name}</a>", &member[..4], Plain(link))?;
        }
    }
    out.push_str("</nav>\n");
    Ok(())
}

/// A form for what every list can be asked, and the names of what this one can.
fn filters(out: &mut String, about: &About, parts: &Parts) -> std::fmt::Result {
    out.push_str("<form method=\"get\" class=\"filter\" role=\"search\">");
    for (name, label) in [("q", "Search"), ("ordering", "Order by"), ("limit", "Rows")] {
        let value = parts.query.last(name).unwrap_or_default();
        write!(out, "<label>{label} <input name=\"{name}\" value=\"{}\"></label> ", Plain(value))?;
    }
    out.push_str("<button>Filter</button>\n<details><summary>All filters</summary>\n<p>");
    let common = ["id", "created", "updated", "created_by_request", "updated_by_request"];
    let tags = about.tagged.then_some("tag");
    for name in common.into_iter().chain(tags).chain(about.filters.iter().map(|sieve| sieve.name)) {
        write!(out, "<code>{}</code> ", Plain(name))?;
    }
    out.push_str(
        "</p>\n<p>Numbers and moments also with <code>__n</code> (not), <code>__lt</code>, <code>__lte</code>, \
         <code>__gt</code>, <code>__gte</code>; texts with <code>__ic</code> (contains), <code>__isw</code>, \
         <code>__iew</code>, <code>__ie</code> and their opposites <code>__nic</code>, <code>__nisw</code>, \
         <code>__niew</code>, <code>__nie</code>; what may be missing with <code>__empty</code>. Repeated means any of \
         the values.</p></details></form>\n",
    );
    Ok(())
}

/// A form for what this place can be asked to write.
fn form(out: &mut String, allow: &str, model: Option<&dyn AnyModel>, shown: &Shown<'_>) -> std::fmt::Result {
    let methods: Vec<&str> =
        allow.split(", ").filter(|method| matches!(*method, "POST" | "PUT" | "PATCH" | "DELETE")).collect();
    out.push_str("<form id=\"ask\" autocomplete=\"off\">\n<h2>Ask</h2>\n");
    out.push_str(
        "<p><label>Token <input id=\"token\" type=\"password\" autocomplete=\"off\" size=\"44\" spellcheck=\"false\"></label> <label><input \
         id=\"keep\" type=\"checkbox\"> keep it for this tab</label></p>\n",
    );
    if !methods.is_empty() {
        out.push_str("<p><label>Method <select id=\"method\">");
        for method in methods {
            write!(out, "<option>{method}</option>")?;
        }
        out.push_str("</select></label></p>\n");
        let body = model.map(|model| example(model, shown.body)).unwrap_or_default();
        write!(
            out,
            "<p><label for=\"content\">Content</label><br><textarea id=\"content\" rows=\"12\" cols=\"90\" \
             spellcheck=\"false\">{}</textarea></p>\n<p><button>Send</button></p>\n",
            Plain(&body)
        )?;
    }
    out.push_str("<noscript><p>Asking with a token needs JavaScript.</p></noscript>\n</form>\n");
    Ok(())
}

/// A body to begin with: of a row what it has, otherwise what a new one must have.
fn example(model: &dyn AnyModel, row: &Json) -> String {
    if model.about().read_only {
        return String::new();
    }
    let schema = model.schema(Face::New);
    let properties = schema["properties"].as_object();
    let is_row = row.get("id").is_some();
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let mut out = Map::new();
    for (name, property) in properties.into_iter().flatten() {
        if is_row {
            out.extend(row.get(name).map(|value| (name.clone(), sent_back(value))));
        } else if required(name) {
            out.insert(name.clone(), blank(property));
        }
    }
    serde_json::to_string_pretty(&out).unwrap_or_default()
}

/// A value as it is written: rows by their ids, choices by their words.
fn sent_back(value: &Json) -> Json {
    match value {
        Json::Array(list) => list.iter().map(sent_back).collect(),
        Json::Object(map) if map.contains_key("url") => map.get("id").cloned().unwrap_or_default(),
        Json::Object(map) if map.len() == 2 && map.contains_key("label") => {
            map.get("value").cloned().unwrap_or_default()
        }
        value => value.clone(),
    }
}

fn blank(property: &Json) -> Json {
    match property["type"].as_str() {
        Some("string") => "".into(),
        Some("boolean") => false.into(),
        Some("array") => Json::Array(Vec::new()),
        _ => Json::Null,
    }
}

/// JSON with its members on lines of their own, and texts that are addresses as links.
fn json(out: &mut String, value: &Json, depth: usize) -> std::fmt::Result {
    let line = |out: &mut String, depth: usize| write!(out, "\n{:1$}", "", depth * 4);
    match value {
        Json::Array(list) if !list.is_empty() => {
            out.push('[');
            for (i, value) in list.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                line(out, depth + 1)?;
                json(out, value, depth + 1)?;
            }
            line(out, depth)?;
            out.push(']');
        }
        Json::Object(map) if !map.is_empty() => {
            out.push('{');
            for (i, (name, value)) in map.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                line(out, depth + 1)?;
                write!(out, "{}: ", Plain(&Json::from(name.as_str()).to_string()))?;
                json(out, value, depth + 1)?;
            }
            line(out, depth)?;
            out.push('}');
        }
        Json::String(text) if text.starts_with("http://") || text.starts_with("https://") => {
            let quoted = value.to_string();
            write!(out, "&quot;<a rel=\"noreferrer\" href=\"{}\">", Plain(text))?;
            write!(out, "{}</a>&quot;", Plain(&quoted[1..quoted.len() - 1]))?;
        }
        value => write!(out, "{}", Plain(&value.to_string()))?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_written_with_links_and_means_itself() {
        let value =
            json!({"url": "https://a.example/?x=1&y=\"<b>\"", "<i>": ["</pre><script>", 1, null], "e": {}, "l": []});
        let mut out = String::new();
        super::json(&mut out, &value, 0).unwrap();
        assert_eq!(
            out,
            "{\n    &quot;url&quot;: &quot;<a rel=\"noreferrer\" \
             href=\"https://a.example/?x=1&amp;y=&quot;&lt;b&gt;&quot;\">https://a.example/?x=1&amp;y=\\&quot;&lt;b&gt;\\&quot;</a>\
             &quot;,\n    &quot;&lt;i&gt;&quot;: [\n        &quot;&lt;/pre&gt;&lt;script&gt;&quot;,\n        1,\n        \
             null\n    ],\n    &quot;e&quot;: {},\n    &quot;l&quot;: []\n}"
        );
    }

    #[test]
    fn a_row_is_sent_back_by_ids_and_words() {
        let row = json!([{"id": 7, "url": "u"}, {"value": "enabled", "label": "Enabled"}, {"a": {"b": 1}}]);
        assert_eq!(sent_back(&row), json!([7, "enabled", {"a": {"b": 1}}]));
    }

    #[test]
    fn a_place_is_a_list_or_a_row_of_a_model() {
        let name = |path| place(path).map(|(model, is_row)| (model.about().name, is_row));
        assert_eq!(name("/api/devices/routers/"), Some(("Router", false)));
        assert_eq!(name("/api/peering/routers/7/"), Some(("Router", true)));
        assert_eq!(name("/api/devices/routers/7/configuration/"), None);
        assert_eq!(name("/api/peering/"), None);
    }
}
