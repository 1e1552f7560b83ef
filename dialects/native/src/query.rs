//! The query string. `filter` is the filter language as JSON; any other name that is a field is a comparison (`asn=64500`,
//! `name__icontains=core`, `router__name__in=a,b`); what is neither is an error.

use meetme_app::{Error, filter};
use meetme_base::{Invalid, Kind, RawId, Time, Uid};
use meetme_http::{Problem, Query as Pairs, QueryParam, ValueKind};
use meetme_store::{ChangeQuery, Cursor, FieldType, Filter, KindInfo, Order, Path, Query, Registry, Verb};

/// The rows of a page, unless the caller says.
pub const PAGE: u32 = 100;
/// The most rows of a page.
pub const MOST: u32 = 1000;

/// The names with a meaning of their own in a list; fields of these names are reached through `filter`.
const LIST: &[QueryParam] = &[
    QueryParam::text("filter").summary("A filter as JSON: {\"and\": [..]}, {\"or\": [..]}, {\"not\": {..}}, {\"text\": \"words\"}, {\"field\": \"a.b\", \"op\": \"eq\", \"value\": ..}."),
    QueryParam::text("q").summary("Words that the row's searchable fields hold."),
    QueryParam::text("order").summary("Fields to order by, with commas; a hyphen before one turns it around."),
    QueryParam::integer("limit").summary("At most this many rows, up to 1000; 100 when absent."),
    QueryParam::integer("offset").summary("Leaving out this many rows: the `next` of the page before."),
    QueryParam::boolean("count").summary("Also tells how many rows match in all."),
];

/// What may be said when writing.
pub const WRITE: &[QueryParam] = &[QueryParam::boolean("dry_run").summary("Answers what would be, and keeps nothing.")];
/// What may be said when making a row.
pub const CREATE: &[QueryParam] = &[
    QueryParam::boolean("dry_run").summary("Answers what would be, and keeps nothing."),
    QueryParam::text("tenant")
        .summary("The organization or project the row hangs on, by id or UUID; the caller's own when absent."),
];
/// What may be asked of the change log.
pub const CHANGES: &[QueryParam] = &[
    QueryParam::text("kind").repeated().summary("Only these kinds; several with commas."),
    QueryParam::integer("id").repeated().summary("Only these rows."),
    QueryParam::text("verb").repeated().summary("Only these: create, update, remove, moved."),
    QueryParam::text("request").summary("Only of this request."),
    QueryParam::integer("actor").summary("Only by this user or key."),
    QueryParam::text("actor_name").summary("Only by somebody of this name."),
    QueryParam::integer("below").summary("Only rows on this node or below it."),
    QueryParam::text("since").summary("Only from this moment on."),
    QueryParam::text("until").summary("Only up to this moment."),
    QueryParam::text("cursor").summary("Only what was committed after this place, in the order of commits."),
    QueryParam::boolean("newest").summary("Newest first, which is the default without `cursor`."),
    QueryParam::integer("limit").summary("At most this many lines, up to 1000; 100 when absent."),
    QueryParam::integer("offset").summary("Leaving out this many lines."),
];
/// What may be asked of the stream of all changes.
pub const WATCH: &[QueryParam] = &[
    QueryParam::text("cursor")
        .summary("Begin after this place; at the end when absent. `Last-Event-ID` goes before it."),
    QueryParam::text("kind").repeated().summary("Only these kinds; several with commas."),
];
/// What may be asked of the stream of one kind's changes.
pub const WATCH_KIND: &[QueryParam] = &[
    QueryParam::text("cursor")
        .summary("Begin after this place; at the end when absent. `Last-Event-ID` goes before it."),
    QueryParam::text("filter")
        .summary("A filter as JSON: events tell with `matches` whether the row is in it now, and bring the row."),
];
/// What may be asked of descriptions.
pub const KINDS: &[QueryParam] =
    &[QueryParam::boolean("schemas").summary("Whether to bring the JSON schemas; true when absent.")];

/// The parameters of a kind's list, for the document.
pub fn of_list(kind: &KindInfo) -> Vec<QueryParam> {
    let fields = kind.shown_fields().map(|field| {
        let form = match field.ty {
            FieldType::Bool => ValueKind::Boolean,
            FieldType::Int | FieldType::Ref => ValueKind::Integer,
            _ => ValueKind::Text,
        };
        (field.name, form)
    });
    let edges = kind.edges.iter().map(|edge| (edge.name, ValueKind::Integer));
    let own = fields.chain(edges).filter(|(name, _)| !LIST.iter().any(|param| param.name == *name));
    let own = own.map(|(name, form)| {
        QueryParam::new(name, form)
            .repeated()
            .summary("Compares this field; `name__op` compares it by another operator.")
    });
    LIST.iter().cloned().chain(own).collect()
}

/// A list as it was asked for.
#[derive(Clone, Debug)]
pub struct List {
    /// Which rows, one more than asked: the surplus tells whether there is a next page.
    pub query: Query,
    /// How many rows were asked for.
    pub limit: u32,
    /// Whether to count.
    pub count: bool,
}

/// Reads the query of a list.
///
/// # Errors
/// Names the first parameter that is not known or does not fit.
pub fn list(registry: &Registry, kind: &KindInfo, pairs: &Pairs) -> Result<List, Problem> {
    let mut all = Filter::All;
    for (name, value) in pairs.iter() {
        let more = match name {
            "order" | "limit" | "offset" | "count" => continue,
            "filter" => json_filter(registry, kind, value)?,
            "q" => Filter::Text(value.to_owned()),
            field => match filter::parameter(registry, kind, field, value)? {
                Some(one) => one,
                None => return Err(unknown(field)),
            },
        };
        all = all.and(more);
    }
    let limit = number(pairs, "limit")?.unwrap_or(u64::from(PAGE));
    let limit = u32::try_from(limit).ok().filter(|n| (1..=MOST).contains(n));
    let limit = limit.ok_or_else(|| Invalid::range("limit", 1, MOST))?;
    let offset = number(pairs, "offset")?.unwrap_or(0);
    let order = order(registry, kind, pairs)?;
    let query = Query::of(all).order(order).page(limit + 1, offset);
    Ok(List { query, limit, count: boolean(pairs, "count")?.unwrap_or(false) })
}

/// Reads a filter in its JSON form.
///
/// # Errors
/// When it cannot be understood.
pub fn json_filter(registry: &Registry, kind: &KindInfo, text: &str) -> Result<Filter, Problem> {
    let json = serde_json::from_str(text)
        .map_err(|error| Invalid::new("filter", "format", format!("This is not JSON: {error}.")))?;
    Ok(filter::parse(registry, kind, &json)?)
}

fn order(registry: &Registry, kind: &KindInfo, pairs: &Pairs) -> Result<Vec<Order>, Problem> {
    let mut out = Vec::new();
    for name in pairs.all("order").flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        let (path, down) = name.strip_prefix('-').map_or((name, false), |path| (path, true));
        let path = Path::from(path.replace("__", "."));
        if registry.type_at(kind, &path).is_none() {
            return Err(Invalid::new("order", "field", format!("{} has no field {path}.", kind.kind)).into());
        }
        out.push(if down { Order::down(path) } else { Order::up(path) });
    }
    Ok(out)
}

/// What was said about a write.
#[derive(Clone, Debug, Default)]
pub struct Write {
    /// Keep nothing.
    pub dry_run: bool,
    /// The node the new row hangs on, as the caller calls it.
    pub tenant: Option<String>,
}

/// Reads the query of a write; `params` are those it may have.
///
/// # Errors
/// Names the first parameter that is not known or does not fit.
pub fn write(pairs: &Pairs, params: &[QueryParam]) -> Result<Write, Problem> {
    only(pairs, params)?;
    let tenant = pairs.get("tenant").map(str::to_owned);
    Ok(Write { dry_run: boolean(pairs, "dry_run")?.unwrap_or(false), tenant })
}

/// Reads a question to the change log.
///
/// # Errors
/// Names the first parameter that is not known or does not fit.
pub fn changes(registry: &Registry, pairs: &Pairs) -> Result<ChangeQuery, Problem> {
    only(pairs, CHANGES)?;
    let after = pairs.get("cursor").map(cursor).transpose()?;
    let newest = boolean(pairs, "newest")?;
    if after.is_some() && newest == Some(true) {
        return Err(Invalid::rule("newest", "After a cursor, the order is that of commits.").into());
    }
    let limit = number(pairs, "limit")?.unwrap_or(u64::from(PAGE));
    let limit = u32::try_from(limit).ok().filter(|n| (1..=MOST).contains(n));
    let words = |name: &'static str| pairs.all(name).flat_map(|list| list.split(',')).filter(|word| !word.is_empty());
    let verb = |word: &str| {
        let all = [Verb::Create, Verb::Update, Verb::Remove, Verb::Moved];
        all.into_iter().find(|verb| verb.name() == word).ok_or_else(|| Invalid::choice("verb", word))
    };
    let id = |text: &str| text.parse().map(RawId::new).map_err(|_| Invalid::format("id", "a whole number"));
    Ok(ChangeQuery {
        after,
        kinds: kinds(registry, pairs)?,
        ids: words("id").map(id).collect::<Result<_, _>>()?,
        verbs: words("verb").map(verb).collect::<Result<_, _>>()?,
        request: parsed::<Uid>(pairs, "request", "a UUID")?,
        actor: parsed::<i64>(pairs, "actor", "a whole number")?.map(RawId::new),
        actor_name: pairs.get("actor_name").map(str::to_owned),
        below: parsed::<i64>(pairs, "below", "a whole number")?.map(RawId::new),
        since: parsed::<Time>(pairs, "since", "an RFC 3339 time")?,
        until: parsed::<Time>(pairs, "until", "an RFC 3339 time")?,
        newest: newest.unwrap_or(after.is_none()),
        limit: limit.ok_or_else(|| Invalid::range("limit", 1, MOST))?,
        offset: number(pairs, "offset")?.unwrap_or(0),
        ..ChangeQuery::default()
    })
}

/// The kinds that were named.
///
/// # Errors
/// Names the kind that does not exist.
pub fn kinds(registry: &Registry, pairs: &Pairs) -> Result<Vec<Kind>, Problem> {
    let names = pairs.all("kind").flat_map(|list| list.split(',')).filter(|name| !name.is_empty());
    let known =
        names.map(|name| registry.kind(name).map(|kind| kind.kind).ok_or_else(|| Invalid::choice("kind", name)));
    known.collect::<Result<_, _>>().map_err(Problem::from)
}

/// A place in the stream.
///
/// # Errors
/// When the text is none.
pub fn cursor(text: &str) -> Result<Cursor, Problem> {
    text.parse().map_err(|()| Invalid::format("cursor", "a cursor as an event's id has it").into())
}

/// Refuses every parameter that is not among these.
///
/// # Errors
/// Names the first one.
pub fn only(pairs: &Pairs, params: &[QueryParam]) -> Result<(), Problem> {
    match pairs.iter().find(|(name, _)| !params.iter().any(|param| param.name == *name)) {
        Some((name, _)) => Err(unknown(name)),
        None => Ok(()),
    }
}

/// A truth value; a name without a value means true.
///
/// # Errors
/// When it is neither.
pub fn boolean(pairs: &Pairs, name: &str) -> Result<Option<bool>, Problem> {
    match pairs.get(name) {
        None => Ok(None),
        Some("" | "true" | "1") => Ok(Some(true)),
        Some("false" | "0") => Ok(Some(false)),
        Some(_) => Err(Invalid::format(name, "true or false").into()),
    }
}

fn number(pairs: &Pairs, name: &str) -> Result<Option<u64>, Problem> {
    parsed(pairs, name, "a whole number")
}

fn parsed<T: std::str::FromStr>(pairs: &Pairs, name: &str, wanted: &str) -> Result<Option<T>, Problem> {
    pairs.parsed::<T>(name).map_err(|_| Invalid::format(name, wanted).into())
}

fn unknown(name: &str) -> Problem {
    Error::from(Invalid::new(name, "unknown", "This parameter is not known.")).into()
}
