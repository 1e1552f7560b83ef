//! The whole filter grammar: every filter name of the contract, of every model that is served, against the rows themselves.
//!
//! The test knows no model. It makes the rows of [`contract::samples`], reads each list whole, and works out from the JSON of the
//! rows which of them a filter must find. Where a filter's value does not stand in the rows, it must at least refuse what names
//! nothing, or find nothing, and what it finds and does not find together must be everything.

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::{
    contract,
    world::{self, Said, World},
};

/// The contract as it is, for the names that its reader does not keep.
static CONTRACT: std::sync::LazyLock<Value> = std::sync::LazyLock::new(|| {
    serde_json::from_str(include_str!("../../../../contracts/peering-manager.json")).unwrap()
});

/// Filters that are not there: model and name without suffix, each with its reason in the document of gaps. The list should only
/// shrink.
const LATER: &[(&str, &str)] = &[("ObjectChange", "export"), ("Webhook", "secret")];

/// Fields that lists are not ordered by: they are computed from several rows, or nobody sorts by them and the core has no column.
const UNORDERED: &[&str] = &["Configuration.template", "Tag.tagged_items", "Connection.name"];

/// A served list.
struct List {
    path: &'static str,
    model: String,
    /// The contract's filters, by name without suffix, with their suffixes.
    filters: BTreeMap<String, BTreeSet<String>>,
    /// Every query parameter that the contract gives it.
    parameters: Vec<String>,
    /// Every query parameter that the table gives it.
    documented: BTreeSet<String>,
}

fn lists() -> Vec<List> {
    let pages: BTreeMap<&str, &Value> = CONTRACT["operations"].as_array().unwrap().iter().filter_map(page).collect();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let served = meetme_peering::dialect().ops.into_iter().filter_map(|op| {
        let contract = pages.get(op.id)?;
        let model = contract["response"].as_str()?.strip_prefix("Page<")?.strip_suffix('>')?.to_owned();
        let mut filters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in texts(&CONTRACT["filters"][&model]) {
            let (base, suffix) = name.split_once("__").unwrap_or((&name, ""));
            filters.entry(base.to_owned()).or_default().insert(suffix.to_owned());
        }
        let documented = op.query.iter().map(|param| param.name.to_string()).collect();
        Some(List { path: op.path, model, filters, parameters: texts(&contract["query"]), documented })
    });
    let served: Vec<List> = served.collect();
    assert!(served.len() > 15, "{}", served.len());
    served
}

fn page(operation: &Value) -> Option<(&str, &Value)> {
    operation["response"].as_str().filter(|text| text.starts_with("Page<"))?;
    Some((operation["id"].as_str()?, operation))
}

#[test]
fn every_parameter_of_the_contract_is_in_the_table() {
    let mut missing = Vec::new();
    for list in lists() {
        for name in &list.parameters {
            let base = name.split("__").next().unwrap_or_default();
            if !is_later(&list.model, base) && !list.documented.contains(name) {
                missing.push(format!("{} {name}", list.model));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Two rows of each sample besides those that the samples need.
async fn rows_of_all(w: &World) {
    for sample in contract::samples(w).await {
        for n in [31, 32] {
            let line = format!("POST /api/{}/", sample.places[0].1);
            let status = w.tell(&line, (sample.new)(n)).await.status;
            assert_eq!(status, 201, "{line}");
        }
    }
}

/// The rows of one list, and how to ask it.
struct Asked<'w> {
    w: &'w World,
    list: &'w List,
    rows: Vec<Value>,
    /// The exchange of each connection, which the nested form of a connection does not tell.
    exchanges: BTreeMap<i64, Value>,
    wrong: Vec<String>,
}

impl<'w> Asked<'w> {
    async fn of(w: &'w World, list: &'w List) -> Self {
        let rows = |said: Said| said.is(200).body["results"].as_array().unwrap().clone();
        let connections = rows(w.ask("GET /api/net/connections/?limit=0").await);
        let exchange = |row: &Value| (row["id"].as_i64().unwrap(), row["internet_exchange_point"].clone());
        let exchanges = connections.iter().map(exchange).collect();
        let rows = rows(w.ask(&format!("GET {}?limit=0", list.path)).await);
        Self { w, list, rows, exchanges, wrong: Vec::new() }
    }

    async fn ask(&self, query: &str) -> Said {
        self.w.ask(&format!("GET {}?limit=0&{query}", self.list.path)).await
    }

    fn fault(&mut self, query: &str, said: &Said, wanted: impl std::fmt::Debug) {
        let found = if said.status == 200 { json!(said.ids()) } else { said.body.clone() };
        self.wrong.push(format!("{} {}?{query}: {found}, not {wanted:?}", self.w.make, self.list.model));
    }

    /// The filter must find these rows.
    async fn finds(&mut self, query: &str, wanted: impl Fn(&Value) -> bool) {
        let wanted: BTreeSet<i64> =
            self.rows.iter().filter(|row| wanted(row)).map(|row| row["id"].as_i64().unwrap()).collect();
        let said = self.ask(query).await;
        if said.status != 200 || said.ids().into_iter().collect::<BTreeSet<i64>>() != wanted {
            self.fault(query, &said, wanted);
        }
    }

    /// The filter must refuse this value, with one of these texts.
    async fn refuses(&mut self, name: &str, value: &str, texts: &[&str]) {
        let query = format!("{name}={}", quoted(value));
        let said = self.ask(&query).await;
        let texts: Vec<String> = texts.iter().map(|text| text.replace("{}", value)).collect();
        if said.status != 400 || !texts.iter().any(|text| said.body == json!({name: [text]})) {
            self.fault(&query, &said, texts);
        }
    }

    async fn check(&mut self, base: &str, suffixes: &BTreeSet<String>) {
        match base {
            "q" => self.search().await,
            "tag" => self.tags().await,
            "created_by_request" | "updated_by_request" => self.request(base).await,
            _ => {
                let kind = Kind::of(suffixes);
                let values: Option<Vec<Value>> = self.rows.iter().map(|row| self.value(base, row)).collect();
                match values {
                    Some(values) if !values.is_empty() => self.exactly(base, kind, suffixes, &values).await,
                    _ => self.roughly(base, kind, suffixes).await,
                }
            }
        }
    }

    /// What a row has under a filter's name, as far as the row tells.
    fn value(&self, base: &str, row: &Value) -> Option<Value> {
        let nested = |value: &Value| {
            let name = if base == "router" { "hostname" } else { "name" };
            value.get(name).or_else(|| value.get("username")).cloned()
        };
        if base.starts_with("internet_exchange") && row.get("ixp_connection").is_some() {
            let exchange = &self.exchanges[&row["ixp_connection"]["id"].as_i64()?];
            return Some(exchange[if base.ends_with("_id") { "id" } else { "name" }].clone());
        }
        match row.get(base) {
            Some(Value::Object(map)) if map.contains_key("value") => return map.get("value").cloned(),
            Some(value @ Value::Object(map)) if map.contains_key("url") => return nested(value),
            Some(Value::Object(_) | Value::Array(_)) => return None,
            Some(value) => return Some(value.clone()),
            None => {}
        }
        if base == "address_family" {
            let is_six = row.get("ip_address")?.as_str()?.contains(':');
            return Some(if is_six { 6.into() } else { 4.into() });
        }
        let (stem, end) = base.rsplit_once('_')?;
        match row.get(stem)? {
            Value::Null => Some(Value::Null),
            nested => nested.get(end).cloned(),
        }
    }

    async fn exactly(&mut self, base: &str, kind: Kind, suffixes: &BTreeSet<String>, values: &[Value]) {
        let list = self.list;
        let mut known: Vec<Value> = Vec::new();
        for value in values.iter().filter(|value| !is_empty(value)) {
            if !known.contains(value) {
                known.push(value.clone());
            }
        }
        let of: BTreeMap<i64, Value> =
            self.rows.iter().map(|row| row["id"].as_i64().unwrap()).zip(values.iter().cloned()).collect();
        let of = |row: &Value| &of[&row["id"].as_i64().unwrap()];
        // A policy for both directions is found under either.
        let both = |row: &Value, wanted: &Value| {
            list.model == "RoutingPolicy" && base == "type" && *of(row) == "import-export-policy" && wanted != "bogus"
        };
        for suffix in suffixes {
            let name = if suffix.is_empty() { base.to_owned() } else { format!("{base}__{suffix}") };
            let holds = |row: &Value, wanted: &Value| kind.holds(suffix, of(row), wanted) || both(row, wanted);
            for value in known.iter().take(3) {
                self.finds(&format!("{name}={}", spelled(value)), |row| holds(row, value)).await;
            }
            // Repeated: any of them, or none of them where the suffix turns it around.
            if let [one, other, ..] = known.as_slice()
                && kind != Kind::Flag
            {
                let all = suffix.starts_with('n');
                let query = format!("{name}={}&{name}={}", spelled(one), spelled(other));
                let twice = |row: &Value| {
                    let (a, b) = (holds(row, one), holds(row, other));
                    if all { a && b } else { a || b }
                };
                self.finds(&query, twice).await;
            }
            self.finds(&format!("{name}="), |_| true).await;
        }
        if kind == Kind::Flag && !known.is_empty() && known.iter().all(Value::is_boolean) {
            for value in [true, false] {
                self.finds(&format!("{base}={value}"), |row| *of(row) == value).await;
            }
            self.finds(&format!("{base}=perhaps"), |_| true).await;
        } else if kind == Kind::Flag {
            self.roughly(base, kind, suffixes).await;
        } else {
            self.nonsense(base, kind, suffixes).await;
        }
        if kind != Kind::Flag {
            for wanted in [true, false] {
                self.finds(&format!("{base}__empty={wanted}"), |row| is_empty(of(row)) == wanted).await;
            }
        }
    }

    /// What names nothing.
    async fn nonsense(&mut self, base: &str, kind: Kind, suffixes: &BTreeSet<String>) {
        for suffix in suffixes {
            let name = if suffix.is_empty() { base.to_owned() } else { format!("{base}__{suffix}") };
            match kind {
                Kind::Text => {
                    let negative = suffix.starts_with('n');
                    self.finds(&format!("{name}=zz%20nobody"), |_| negative).await;
                }
                Kind::Number => {
                    self.refuses(&name, "zz", &["Enter a whole number.", "Enter a valid date/time."]).await;
                }
                Kind::Word | Kind::Flag => {
                    let choice = "Select a valid choice. {} is not one of the available choices.";
                    self.refuses(&name, "zz nobody", &[choice, "\u{201c}{}\u{201d} is not a valid value."]).await;
                    if base.ends_with("_id") {
                        self.refuses(&name, "99999999", &[choice]).await;
                    }
                }
            }
        }
    }

    /// A filter whose value the rows do not tell: what it finds with and without must differ, or it must refuse.
    async fn roughly(&mut self, base: &str, kind: Kind, suffixes: &BTreeSet<String>) {
        let total = self.rows.len();
        for suffix in suffixes {
            let name = if suffix.is_empty() { base.to_owned() } else { format!("{base}__{suffix}") };
            let said = self.ask(&format!("{name}=zz%20nobody")).await;
            let wanted = if suffix.starts_with('n') { total } else { 0 };
            let refused = said.status == 400 && said.body.get(&name).is_some();
            let filtered = said.status == 200 && said.ids().len() == wanted && (total > 0 || kind == Kind::Text);
            if refused || filtered {
                continue;
            }
            let (yes, no) = (self.ask(&format!("{name}=true")).await, self.ask(&format!("{name}=false")).await);
            let splits =
                yes.status == 200 && no.status == 200 && yes.ids().len() + no.ids().len() == total && total > 0;
            // Of no rows a truth value cannot show that it is looked at.
            if !(splits || (kind == Kind::Flag && total == 0)) {
                self.fault(&name, &said, "a refusal, or nothing found");
            }
        }
    }

    async fn search(&mut self) {
        self.finds("q=zz%20nobody%20zz", |_| false).await;
        for row in self.rows.clone().iter().take(2) {
            let Some(name) = row.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else { continue };
            // What a connection is called is made of its exchange and its router.
            if self.list.model == "Connection" {
                continue;
            }
            let said = self.ask(&format!("q={}", quoted(&name.to_uppercase()))).await;
            if said.status != 200 || !said.ids().contains(&row["id"].as_i64().unwrap()) {
                self.fault("q", &said, name);
            }
        }
    }

    async fn tags(&mut self) {
        let has = |row: &Value, slug: &str| row["tags"].as_array().is_some_and(|t| t.iter().any(|t| t["slug"] == slug));
        self.finds("tag=core", |row| has(row, "core")).await;
        self.finds("tag__n=core", |row| !has(row, "core")).await;
        self.finds("tag=core&tag=unused", |_| false).await;
        let choice = "Select a valid choice. {} is not one of the available choices.";
        self.refuses("tag", "nosuch", &[choice]).await;
        self.refuses("tag__n", "nosuch", &[choice]).await;
    }

    async fn request(&mut self, name: &str) {
        self.refuses(name, "zz", &["Enter a valid UUID."]).await;
        self.finds(&format!("{name}=6a3c1f6e-0000-4000-8000-000000000000"), |_| false).await;
        let Some(row) = self.rows.last().cloned() else { return };
        let changed = self.w.tell(&format!("PATCH {}{}/", self.list.path, row["id"]), json!({"tags": []})).await;
        let updated = changed.header("x-request-id").to_owned();
        let log = format!("GET /api/core/object-changes/?changed_object_id={}&action=create", row["id"]);
        let made = self.w.ask(&log).await.body["results"][0]["request_id"].clone();
        let request = if name == "created_by_request" { made.as_str().unwrap_or_default().to_owned() } else { updated };
        // Not every model can be changed here, and the change may be none.
        let one = self.ask(&format!("{name}={request}")).await;
        let found = one.status == 200 && one.ids() == [row["id"].as_i64().unwrap()];
        if name == "created_by_request" && !request.is_empty() && !found {
            self.fault(name, &one, &row["id"]);
        }
        self.rows = self.ask("").await.body["results"].as_array().unwrap().clone();
    }
}

/// What the suffixes of a filter say about its values.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Number,
    /// A choice or another row.
    Word,
    /// A truth value, or a rule of its own.
    Flag,
}

impl Kind {
    fn of(suffixes: &BTreeSet<String>) -> Self {
        match () {
            () if suffixes.contains("ic") => Self::Text,
            () if suffixes.contains("lt") || suffixes.contains("before") => Self::Number,
            () if suffixes.contains("n") => Self::Word,
            () => Self::Flag,
        }
    }

    /// Whether a row with this value must be found.
    fn holds(self, suffix: &str, has: &Value, wanted: &Value) -> bool {
        if let Some(plain) = suffix.strip_prefix('n') {
            return !self.holds(plain, has, wanted);
        }
        if has.is_null() {
            return false;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
        let order = match (has.as_i64(), wanted.as_i64()) {
            (Some(has), Some(wanted)) => has.cmp(&wanted),
            _ => has.as_str().cmp(&wanted.as_str()),
        };
        match suffix {
            "" => has == wanted,
            "ic" => text(has).contains(&text(wanted)),
            "isw" => text(has).starts_with(&text(wanted)),
            "iew" => text(has).ends_with(&text(wanted)),
            "ie" => text(has) == text(wanted),
            "lt" => order.is_lt(),
            "lte" | "before" => order.is_le(),
            "gt" => order.is_gt(),
            "gte" | "after" => order.is_ge(),
            other => panic!("a suffix that nobody knows: {other}"),
        }
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn quoted(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn spelled(value: &Value) -> String {
    quoted(value.as_str().map_or_else(|| value.to_string(), str::to_owned).as_str())
}

#[tokio::test]
async fn every_filter_of_every_model_filters() {
    let mut wrong = Vec::new();
    for w in world::both().await {
        rows_of_all(&w).await;
        w.make("extras/tags", json!({"name": "Unused", "slug": "unused"})).await;
        for list in lists().iter().filter(|list| list.model != "ObjectChange") {
            let mut asked = Asked::of(&w, list).await;
            for (base, suffixes) in list.filters.iter().filter(|(base, _)| !is_later(&list.model, base)) {
                asked.check(base, suffixes).await;
            }
            wrong.extend(asked.wrong);
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

fn is_later(model: &str, base: &str) -> bool {
    LATER.contains(&(model, base))
}

#[tokio::test]
async fn every_list_is_ordered_by_every_field_that_can_be() {
    let mut wrong = Vec::new();
    let w = world::one().await;
    rows_of_all(&w).await;
    for list in lists().iter().filter(|list| list.model != "ObjectChange") {
        let asked = Asked::of(&w, list).await;
        let Some(Value::Object(first)) = asked.rows.first() else { continue };
        for name in first.keys() {
            let column = |said: Said| -> Vec<Value> {
                said.is(200).body["results"].as_array().unwrap().iter().map(|row| row[name].clone()).collect()
            };
            let up = column(asked.ask(&format!("ordering={name}")).await);
            let down = column(asked.ask(&format!("ordering=-{name}")).await);
            // A list has no place among lists, and data none among data; a row and a choice have their name's.
            let is_one = |value: &Value| match value {
                Value::Object(map) => map.contains_key("url") || map.contains_key("value"),
                value => !value.is_array(),
            };
            let differ = up.iter().all(is_one) && up.iter().any(|value| *value != up[0]);
            let computed = ["url", "display_url", "display"].contains(&name.as_str());
            let known = UNORDERED.contains(&format!("{}.{name}", list.model).as_str());
            if differ && !computed && !known && up == down {
                wrong.push(format!("{}.{name}", list.model));
            }
            let numbers: Vec<i64> = up.iter().filter_map(Value::as_i64).collect();
            if up != down && !numbers.is_sorted() {
                wrong.push(format!("{} by {name}: {numbers:?}", list.model));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_list_can_be_cut_to_fields_and_to_its_brief_form() {
    let w = world::one().await;
    rows_of_all(&w).await;
    for list in lists() {
        let keys = async |query: &str| -> Option<Vec<String>> {
            let said = w.ask(&format!("GET {}?{query}", list.path)).await;
            let rows = said.is(200).body["results"].as_array().unwrap().clone();
            rows.first().map(|row| row.as_object().unwrap().keys().cloned().collect())
        };
        let Some(all) = keys("limit=1").await else { continue };
        assert_eq!(keys("fields=nosuch,id").await.unwrap(), ["id"], "{}", list.model);
        let last = all.last().unwrap();
        assert_eq!(keys(&format!("fields=id&fields={last}")).await.unwrap(), ["id", last], "{}", list.model);
        let without: Vec<String> = all.iter().filter(|name| *name != "id" && *name != last).cloned().collect();
        assert_eq!(keys(&format!("exclude=id,{last}")).await.unwrap(), without, "{}", list.model);
        // For this request only.
        assert_eq!(keys("").await.unwrap(), all, "{}", list.model);
        let brief = &CONTRACT["meta"]["brief_fields"][&list.model];
        if let Value::Array(names) = brief {
            assert_eq!(json!(keys("brief=1").await.unwrap()), Value::Array(names.clone()), "{}", list.model);
        }
        let head = w.ask(&format!("HEAD {}", list.path)).await;
        assert!(head.is(200).bytes.is_empty() && !head.header("content-length").is_empty(), "{}", list.path);
    }
}
