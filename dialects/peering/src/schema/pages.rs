//! The two pages that show the document: Swagger UI, which also calls what it shows, and ReDoc, to be read. Both work without the
//! network: their programs come with a crate and are cut out of the pages which that crate writes, so that ours can forbid
//! everything that does not come from this server.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{StatusCode, header};
use meetme_http::{Cx, Op, Problem, Reply};

use super::{PATH, as_json, open};

/// Where the pages are; the second and the fourth are former places.
const PAGES: &[(&str, &str, &Page)] = &[
    ("api_docs", "/api/schema/swagger-ui/", &SWAGGER),
    ("alias_docs_api_docs", "/api/docs/", &SWAGGER),
    ("api_redoc", "/api/schema/redoc/", &REDOC),
    ("alias_redoc_api_redoc", "/api/redoc/", &REDOC),
];

/// A page.
struct Page {
    /// What it is.
    html: &'static str,
    /// What it may load and do.
    policy: &'static str,
}

const SWAGGER: Page = Page {
    html: include_str!("swagger.html"),
    policy: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

const REDOC: Page = Page {
    html: include_str!("redoc.html"),
    // Its styles are made as it runs, and its search runs in a thread made from text.
    policy: "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
             worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/// A file that the pages load: the operation's id, the end of its path, its type, and what it is.
type Asset = (&'static str, &'static str, &'static str, fn() -> Bytes);

const ASSETS: &[Asset] = &[
    ("api_docs_style", "swagger-ui.css", "text/css; charset=utf-8", || SWAGGER_UI.0.clone()),
    ("api_docs_program", "swagger-ui.js", SCRIPT, || SWAGGER_UI.1.clone()),
    ("api_docs_start", "swagger-start.js", SCRIPT, || Bytes::from_static(include_bytes!("swagger.js"))),
    ("api_redoc_program", "redoc.js", SCRIPT, || REDOC_PROGRAM.clone()),
    ("api_redoc_start", "redoc-start.js", SCRIPT, || Bytes::from_static(include_bytes!("redoc.js"))),
];

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// The style and the program of Swagger UI.
static SWAGGER_UI: LazyLock<(Bytes, Bytes)> = LazyLock::new(|| {
    let page = aide::swagger::Swagger::new("").html();
    (between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>"))
});

/// The program of ReDoc.
static REDOC_PROGRAM: LazyLock<Bytes> = LazyLock::new(|| {
    let page = aide::redoc::Redoc::new("").html();
    // What starts it stands behind it; ours is a file of its own.
    let end = page.rfind("Redoc.init(").unwrap_or(page.len());
    between(&page[..end], "<script>", "")
});

/// What stands between two marks; nothing when they are not there.
fn between(page: &str, from: &str, to: &str) -> Bytes {
    let Some((_, rest)) = page.split_once(from) else { return Bytes::new() };
    let part = if to.is_empty() { rest } else { rest.split_once(to).map_or("", |(part, _)| part) };
    Bytes::copy_from_slice(part.trim().as_bytes())
}

/// The operations.
pub fn ops() -> Vec<Op> {
    let page = |(id, path, page): &(&'static str, &'static str, &'static Page)| {
        let page = *page;
        open(id, path).gives_media("text/html").run(move |cx| async move { Ok::<_, Problem>(show(&cx, page)) })
    };
    let asset = |(id, end, media, get): &Asset| {
        let (media, get) = (*media, *get);
        let path = crate::ops::keep(format!("{PATH}{end}"));
        open(id, path).gives_media(media).run(move |_| async move {
            let reply = guarded(Reply::bytes(StatusCode::OK, media, get()));
            Ok::<_, Problem>(reply.header(header::CACHE_CONTROL, "public, max-age=3600"))
        })
    };
    PAGES.iter().map(page).chain(ASSETS.iter().map(asset)).collect()
}

/// Whether a path is one of a page or of a file that a page loads, which are no part of the API.
pub fn has(path: &str) -> bool {
    let is_asset = |end: &&str| path.strip_prefix(PATH) == Some(end);
    PAGES.iter().any(|(_, page, _)| *page == path) || ASSETS.iter().map(|(_, end, ..)| end).any(|end| is_asset(&end))
}

/// A page; the document itself for tools that ask its former place for it.
fn show(cx: &Cx, page: &Page) -> Reply {
    if cx.query.last("format") == Some("openapi") {
        return as_json(cx);
    }
    let reply = Reply::bytes(StatusCode::OK, "text/html; charset=utf-8", page.html);
    guarded(reply).header(header::CONTENT_SECURITY_POLICY, page.policy)
}

fn guarded(reply: Reply) -> Reply {
    reply.header(header::X_CONTENT_TYPE_OPTIONS, "nosniff").header(header::REFERRER_POLICY, "no-referrer")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_whole_and_nothing_else() {
        let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        let (style, program, redoc) = (text(&SWAGGER_UI.0), text(&SWAGGER_UI.1), text(&REDOC_PROGRAM));
        assert!(style.starts_with(".swagger-ui{") && style.len() > 100_000);
        assert!(program.contains("SwaggerUIBundle") && program.len() > 1_000_000);
        assert!(redoc.contains("e.Redoc=") && redoc.len() > 500_000);
        for piece in [style, program, redoc] {
            assert!(!piece.contains("<script>") || !piece.contains("</script>"));
        }
    }

    #[test]
    fn what_is_not_there_is_empty() {
        assert_eq!(between("a<b>c</b>d", "<b>", "</b>"), "c");
        assert_eq!(between("a<b>c</b>d", "<i>", "</b>"), "");
        assert_eq!(between("a<b>c", "<b>", "</b>"), "");
    }
}
