//! The engine: one rendering, fenced.
//!
//! Fuel is a budget for everything: each step of the program costs one, and so do 64 bytes of every text it makes, kept or
//! not, so it bounds memory too. Output and time are bounded beside it.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, syntax::SyntaxConfig};

use crate::{Failure, filters, includes};

/// The longest template, in bytes.
const LONGEST: usize = 2 << 20;

/// How blanks around blocks are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// The first line break after a block is left out.
    pub trim: bool,
    /// Blanks before a block on its line are left out.
    pub lstrip: bool,
}

/// What a rendering may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps, each 64 bytes of text or memory counted as one.
    pub fuel: u64,
    /// Bytes of the text.
    pub bytes: usize,
    /// How long it may take.
    pub time: Duration,
}

impl Limits {
    /// What a rendering over this many objects may cost. A usual template takes 200 to 600 steps for a session.
    pub fn over(objects: usize) -> Self {
        let objects = u64::try_from(objects).unwrap_or(u64::MAX);
        Self {
            fuel: objects.saturating_mul(1_500).saturating_add(4_000_000),
            bytes: 64 << 20,
            time: Duration::from_secs(20),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::over(0)
    }
}

/// The other templates that one may include, by `configuration::name`, `configuration::id` and so on, and the texts of
/// exports by name and id.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    texts: HashMap<String, Arc<str>>,
    exports: HashMap<String, Result<String, String>>,
}

impl Sources {
    /// Adds a template: `sort` is `configuration` or `email`.
    pub fn add(&mut self, sort: &str, id: i64, name: &str, text: &str) {
        let text: Arc<str> = includes::rewritten(text).into();
        // A name that is a number is never found by it, an id is.
        self.texts.entry(format!("{sort}::{name}")).or_insert_with(|| Arc::clone(&text));
        self.texts.insert(format!("{sort}::{id}"), text);
    }
    /// Adds the text, or the failure, of an export that is included under this name or id.
    pub fn add_export(&mut self, name: &str, text: Result<String, String>) {
        self.exports.insert(name.to_owned(), text);
    }
}

/// What is rendered, and how.
pub struct Rendering<'r> {
    /// The template.
    pub text: &'r str,
    /// How blanks are treated.
    pub flags: Flags,
    /// What it may cost.
    pub limits: Limits,
    /// What it may include.
    pub sources: &'r Arc<Sources>,
    /// What `now()` says, in milliseconds since 1970 in UTC.
    pub now: i64,
    /// The time zone of `now()` where a template names none, such as `Europe/Paris`.
    pub zone: &'r str,
}

/// Whether a template can be read; what it names is not looked at.
///
/// # Errors
/// The line that cannot be read.
pub fn check(text: &str, flags: Flags) -> Result<(), Failure> {
    let env = environment(flags, Limits::default())?;
    read(&env, text).map(drop)
}

/// The text of a template over these variables.
///
/// # Errors
/// The line at which it ended, and why.
pub fn render(what: &Rendering<'_>, variables: &BTreeMap<&'static str, Value>) -> Result<String, Failure> {
    let mut env = environment(what.flags, what.limits)?;
    let sources = Arc::clone(what.sources);
    env.set_loader(move |name| Ok(sources.texts.get(name).map(|text| text.to_string())));
    let sources = Arc::clone(what.sources);
    env.add_function("include_exporttemplate", move |name: Value| match sources.exports.get(&name.to_string()) {
        Some(Ok(text)) => Ok(text.clone()),
        Some(Err(why)) => Err(Error::new(ErrorKind::BadInclude, format!("export template {name}: {why}"))),
        None => Err(Error::new(ErrorKind::TemplateNotFound, format!("there is no export template {name}"))),
    });
    let (moment, zone) = (what.now, what.zone.to_owned());
    env.add_function("now", move |args: minijinja::value::Rest<minijinja::value::ValueOrKwargs>| {
        now(moment, &zone, filters::Given::of(args.into_values())?)
    });
    let template = includes::rewritten(what.text);
    let template = read_owned(&env, &template, what.text.len())?;
    let mut sink =
        Sink { text: Vec::new(), limit: what.limits.bytes, end: Instant::now() + what.limits.time, late: false };
    let variables = Value::from_pairs(variables.iter().map(|(name, value)| (*name, value.clone())));
    let outcome = template.render_captured_to(variables, &mut sink);
    if let Err(error) = outcome.map(drop) {
        let mut failure = Failure::of(&error, MAIN);
        if sink.late {
            failure.reason = format!("The template takes longer than {} s.", what.limits.time.as_secs());
        } else if sink.text.len() >= what.limits.bytes {
            failure.reason = format!("The text is longer than {} bytes.", what.limits.bytes);
        }
        return Err(failure);
    }
    String::from_utf8(sink.text).map_err(|_| Failure::plain("The text is not UTF-8."))
}

/// What the template itself is called in the engine.
const MAIN: &str = "<template>";

fn read(env: &Environment<'_>, text: &str) -> Result<(), Failure> {
    read_owned(env, &includes::rewritten(text), text.len()).map(drop)
}

fn read_owned<'e, 't>(
    env: &'e Environment<'t>,
    text: &'t str,
    length: usize,
) -> Result<minijinja::Template<'e, 't>, Failure> {
    if length > LONGEST {
        return Err(Failure::plain(format!("The template is longer than {LONGEST} bytes.")));
    }
    env.template_from_named_str(MAIN, text).map_err(|error| Failure::of(&error, MAIN))
}

fn environment(flags: Flags, limits: Limits) -> Result<Environment<'static>, Failure> {
    let mut env = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(flags.trim).lstrip_blocks(flags.lstrip).build();
    env.set_syntax(syntax.map_err(|error| Failure::of(&error, MAIN))?);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_undefined_behavior(UndefinedBehavior::Lenient);
    env.set_fuel(Some(limits.fuel));
    env.set_recursion_limit(200);
    env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    // Tells what is in scope: of use on a developer's screen, not in a configuration.
    env.remove_global("debug");
    // What a template cannot say safely, such as a quotation mark in a language without escapes, it refuses to say.
    env.add_function("fail", |why: Value| -> Result<Value, Error> {
        Err(Error::new(ErrorKind::InvalidOperation, why.to_string()))
    });
    env.add_filter("truncate", minijinja_contrib::filters::truncate);
    filters::add(&mut env);
    Ok(env)
}

/// `now(format, timezone)`.
fn now(moment: i64, zone: &str, mut given: filters::Given) -> Result<String, Error> {
    let format = given.text("format")?.unwrap_or_else(|| "%Y-%m-%dT%H:%M:%SZ".to_owned());
    let zone = given.text("timezone")?.filter(|zone| !zone.is_empty()).unwrap_or_else(|| zone.to_owned());
    given.done()?;
    let wrong = |why: String| Error::new(ErrorKind::InvalidOperation, why);
    let zone = TimeZone::get(&zone).map_err(|_| wrong(format!("there is no time zone {zone}")))?;
    let stamp = Timestamp::from_millisecond(moment).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone);
    jiff::fmt::strtime::format(&format, &stamp).map_err(|e| wrong(format!("the time format {format:?}: {e}")))
}

/// Where the text goes: it ends at the limits.
struct Sink {
    text: Vec<u8>,
    limit: usize,
    end: Instant,
    late: bool,
}

impl io::Write for &mut Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The clock is asked once for 4 KiB: a look at it costs more than a short write.
        let is_page = self.text.len() >> 12 != (self.text.len() + bytes.len()) >> 12;
        if is_page && Instant::now() >= self.end {
            self.late = true;
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        if self.text.len() + bytes.len() > self.limit {
            let room = self.limit - self.text.len();
            self.text.extend_from_slice(&bytes[..room]);
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
