//! Which questions to the routing registries stand for an AS, and what their answers come to.
//!
//! A question is a row of its own ([`IrrSet`]) that a controller keeps fresh; nobody asks a registry inside an operation. What an AS
//! may announce is the union of the answers there are: a set that cannot be had leaves the others in use, and an old answer is
//! better than none, because without one nothing passes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use meetme_base::{Asn, Id, Invalid, NetRange, RawId, Time};
use meetme_model::routing::{AutonomousSystem, IrrQuestion, IrrSet};
use meetme_store::{Filter, Object, Op, Query, Tx};

use crate::Error;

/// For how long an answer that somebody asked for once is given again, in seconds.
pub const CACHE_SECONDS: i64 = 3600;
/// How many sets may be asked about at once.
pub const MOST_SETS: usize = 20;
/// How many questions of one tenant may be kept that no AS needs.
const MOST_ONCE: u64 = 2000;

/// A question without who asks it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// The set.
    pub set: String,
    /// What is asked about it.
    pub what: IrrQuestion,
    /// The registries to ask; the installation's own choice when empty.
    pub sources: String,
    /// Further arguments; the installation's own when empty.
    pub args: String,
}

impl Question {
    /// What is asked about a set in the installation's own way.
    pub fn plain(set: impl Into<String>, what: IrrQuestion) -> Self {
        Self { set: set.into(), what, sources: String::new(), args: String::new() }
    }

    fn rows(&self, tenant: RawId) -> Filter {
        Filter::eq("tenant", tenant)
            .and(Filter::eq("set", self.set.as_str()))
            .and(Filter::eq("what", self.what.word()))
            .and(Filter::eq("sources", self.sources.as_str()))
            .and(Filter::eq("args", self.args.as_str()))
    }

    fn row(&self) -> IrrSet {
        let Self { set, what, sources, args } = self.clone();
        IrrSet { set, what, sources, args, ..IrrSet::default() }
    }
}

/// What the registries say of an AS.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Registered {
    /// The IPv4 prefixes, sorted, each once; none when no question about them was ever answered.
    pub prefixes4: Option<Vec<NetRange>>,
    /// The IPv6 prefixes, likewise.
    pub prefixes6: Option<Vec<NetRange>>,
    /// The numbers behind its sets, sorted, without its own; none when no question about them was ever answered.
    pub numbers: Option<Vec<Asn>>,
    /// When the oldest answer among them was given.
    pub oldest: Option<Time>,
    /// The sets of which the last attempt failed, with the reason.
    pub failing: Vec<(String, String)>,
}

impl Registered {
    /// The numbers behind the sets of the AS `own` and its own, sorted; none while nothing is known. AS_TRANS (RFC 6793) stands for
    /// other numbers and is no member.
    pub fn members(&self, own: Asn) -> Vec<Asn> {
        const AS_TRANS: u32 = 23_456;
        let Some(numbers) = &self.numbers else { return Vec::new() };
        let mut out: Vec<Asn> = numbers.iter().copied().chain([own]).filter(|n| n.get() != AS_TRANS).collect();
        out.sort_unstable();
        out.dedup();
        out
    }
}

/// The questions of these kinds about an AS: about its sets, or, when it names none, about its own number. Nothing is asked about
/// a number that no registry can know.
pub fn questions(system: &AutonomousSystem, kinds: &[IrrQuestion]) -> Vec<Question> {
    let text = system.as_set.as_deref().unwrap_or_default();
    let mut sets = IrrSet::names(text).sets;
    if text.trim().is_empty() && IrrSet::is_public(system.asn) {
        sets.push(format!("AS{}", system.asn));
    }
    let irr = &system.irr;
    let args = |what| match what {
        IrrQuestion::Prefixes4 => irr.args4.clone(),
        IrrQuestion::Prefixes6 => irr.args6.clone(),
        IrrQuestion::Numbers => String::new(),
    };
    let of = |set: &String, what| Question { set: set.clone(), what, sources: irr.sources.clone(), args: args(what) };
    sets.iter().flat_map(|set| kinds.iter().map(move |what| of(set, *what))).collect()
}

/// The kinds of questions that an AS wants answered at all times.
fn wanted(system: &AutonomousSystem) -> Vec<IrrQuestion> {
    let mut out = Vec::new();
    if system.irr.want_prefixes {
        out.extend([IrrQuestion::Prefixes4, IrrQuestion::Prefixes6]);
    }
    if system.irr.want_as_list {
        out.push(IrrQuestion::Numbers);
    }
    out
}

/// Whether exactly the questions stand for an AS that it wants answered.
///
/// # Errors
/// When the database fails.
pub fn stands(tx: &mut Tx<'_>, system: &Object<AutonomousSystem>) -> Result<bool, Error> {
    tx.as_system(|tx| {
        let questions: BTreeSet<Question> = questions(&system.spec, &wanted(&system.spec)).into_iter().collect();
        if tx.count::<IrrSet>(&Filter::eq("systems", system.id))? != questions.len() as u64 {
            return Ok(false);
        }
        for question in questions {
            let own = question.rows(system.tenant).and(Filter::eq("systems", system.id));
            if !tx.exists::<IrrSet>(&own)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

/// Makes exactly the questions stand for an AS that it wants answered.
///
/// # Errors
/// When the database fails, or somebody else changes the same questions.
pub fn stand(tx: &mut Tx<'_>, system: &Object<AutonomousSystem>) -> Result<(), Error> {
    tx.as_system(|tx| {
        let mut left: BTreeSet<Id<IrrSet>> = tx.ids::<IrrSet>(&Filter::eq("systems", system.id))?.into_iter().collect();
        for question in questions(&system.spec, &wanted(&system.spec)) {
            match tx.one::<IrrSet>(&question.rows(system.tenant))? {
                Some(mut row) => {
                    if !left.remove(&row.id) && !row.spec.systems.contains(&system.id) {
                        let mut spec = row.spec.clone();
                        spec.systems.push(system.id);
                        tx.save(&mut row, spec)?;
                    }
                }
                None => {
                    let row = IrrSet { systems: vec![system.id], ..question.row() };
                    tx.create(system.tenant, row)?;
                }
            }
        }
        for id in left {
            let mut row = tx.get(id)?;
            let mut spec = row.spec.clone();
            spec.systems.retain(|s| *s != system.id);
            tx.save(&mut row, spec)?;
        }
        Ok(())
    })
}

/// Asks questions on behalf of a tenant; answers the rows to look at. Those answered lately are not asked again, unless the answer
/// is to be `fresh`.
///
/// # Errors
/// [`Error::Invalid`] when a question is none; [`Error::Limited`] when the tenant has asked too many that no AS of its needs.
pub fn ask(tx: &mut Tx<'_>, tenant: RawId, questions: &[Question], fresh: bool) -> Result<Vec<Id<IrrSet>>, Error> {
    tx.as_system(|tx| {
        let now = tx.now();
        let young = now.plus_seconds(-CACHE_SECONDS);
        let mut out = Vec::with_capacity(questions.len());
        for question in questions {
            let until = Some(now.plus_seconds(2 * CACHE_SECONDS));
            let row = match tx.one::<IrrSet>(&question.rows(tenant))? {
                Some(mut row) => {
                    let is_young = row.status.fetched_at.is_some_and(|t| t > young)
                        || row.spec.asked_at.is_some_and(|t| t > young);
                    if fresh || !is_young {
                        let spec = IrrSet { asked_at: Some(now), until, ..row.spec.clone() };
                        tx.save(&mut row, spec)?;
                    }
                    row
                }
                None => {
                    let once = Filter::eq("tenant", tenant).and(Filter::is("until", Op::Empty(false)));
                    if tx.count::<IrrSet>(&once)? >= MOST_ONCE {
                        return Err(Error::Limited { retry_after: std::time::Duration::from_secs(60) });
                    }
                    tx.create(tenant, IrrSet { asked_at: Some(now), until, ..question.row() })?
                }
            };
            out.push(row.id);
        }
        Ok(out)
    })
}

/// The rows, if each was looked into since it was last asked for; none while one still waits.
///
/// # Errors
/// When the database fails.
pub fn answered(tx: &mut Tx<'_>, ids: &[Id<IrrSet>]) -> Result<Option<Vec<Object<IrrSet>>>, Error> {
    tx.as_system(|tx| {
        let mut rows = tx.many(ids.iter().copied())?;
        let waits = rows.values().any(|row| row.status.tried_at.is_none() || row.status.tried_at < row.spec.asked_at);
        // A row that went meanwhile has nothing to say.
        Ok((!waits).then(|| ids.iter().filter_map(|id| rows.remove(id)).collect()))
    })
}

/// What the registries say of these ASs. Those of which they were never asked are left out.
///
/// # Errors
/// When the database fails.
pub fn of_systems(
    tx: &mut Tx<'_>,
    systems: &[Id<AutonomousSystem>],
    kinds: &[IrrQuestion],
) -> Result<HashMap<Id<AutonomousSystem>, Registered>, Error> {
    if systems.is_empty() {
        return Ok(HashMap::new());
    }
    let filter = Filter::is_in("systems", systems.iter().copied())
        .and(Filter::is_in("what", kinds.iter().map(|what| what.word())));
    let mut by_system: BTreeMap<Id<AutonomousSystem>, Vec<usize>> = BTreeMap::new();
    let rows = tx.as_system(|tx| tx.list::<IrrSet>(&Query::of(filter)))?;
    for (n, row) in rows.iter().enumerate() {
        for system in row.spec.systems.iter().filter(|system| systems.contains(system)) {
            by_system.entry(*system).or_default().push(n);
        }
    }
    let of =
        |(system, mine): (Id<AutonomousSystem>, Vec<usize>)| (system, registered(mine.into_iter().map(|n| &rows[n])));
    Ok(by_system.into_iter().map(of).collect())
}

/// What answers come to together.
pub fn registered<'a>(rows: impl IntoIterator<Item = &'a Object<IrrSet>>) -> Registered {
    let mut out = Registered::default();
    for row in rows {
        let (spec, status) = (&row.spec, &row.status);
        out.failing.extend(status.failure.iter().map(|why| (spec.set.clone(), why.clone())));
        let Some(fetched_at) = status.fetched_at else { continue };
        out.oldest = Some(out.oldest.map_or(fetched_at, |oldest| oldest.min(fetched_at)));
        match spec.what {
            IrrQuestion::Prefixes4 => out.prefixes4.get_or_insert_default().extend(&status.prefixes),
            IrrQuestion::Prefixes6 => out.prefixes6.get_or_insert_default().extend(&status.prefixes),
            IrrQuestion::Numbers => out.numbers.get_or_insert_default().extend(&status.numbers),
        }
    }
    for list in [&mut out.prefixes4, &mut out.prefixes6].into_iter().flatten() {
        list.sort_unstable();
        list.dedup();
    }
    if let Some(numbers) = &mut out.numbers {
        numbers.sort_unstable();
        numbers.dedup();
    }
    out
}

/// A set as a caller names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its name in the caller's own spelling; `AS` before a bare number.
    pub shown: String,
    /// Its name for registries; none when it is a number that none of them can know.
    pub set: Option<String>,
}

/// The sets that a caller names, at most [`MOST_SETS`]; a bare number is an AS.
///
/// # Errors
/// When there is none, one is no set, or there are too many.
pub fn named(text: &str) -> Result<Vec<Named>, Invalid> {
    let mut out: Vec<Named> = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        let number = word.bytes().all(|b| b.is_ascii_digit());
        let name = if number { format!("AS{word}") } else { word.to_owned() };
        let found = IrrSet::names(&name);
        let is_number = name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("AS"))
            && name.get(2..).is_some_and(|n| n.bytes().all(|b| b.is_ascii_digit()) && n.parse::<Asn>().is_ok());
        let set = match (&found.sets[..], &found.strange[..]) {
            ([one], []) => Some(one.clone()),
            _ if is_number => None,
            _ => {
                return Err(Invalid::format(
                    "as-set",
                    format!("a list of as-sets and AS numbers, which {word} is not"),
                ));
            }
        };
        let named = Named { shown: name, set };
        if !out.contains(&named) {
            out.push(named);
        }
    }
    match out.len() {
        0 => Err(Invalid::required("as-set")),
        n if n > MOST_SETS => {
            Err(Invalid::rule("as-set", format!("At most {MOST_SETS} sets can be asked about at once.")))
        }
        _ => Ok(out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn system(as_set: Option<&str>, asn: u32) -> AutonomousSystem {
        let asn = Asn::try_from(i64::from(asn)).unwrap();
        AutonomousSystem { as_set: as_set.map(str::to_owned), ..AutonomousSystem::new(asn, "A") }
    }

    #[test]
    fn an_as_without_a_set_is_asked_about_by_its_number_if_registries_can_know_it() {
        let sets =
            |s: AutonomousSystem| questions(&s, &[IrrQuestion::Numbers]).into_iter().map(|q| q.set).collect::<Vec<_>>();
        assert_eq!(sets(system(None, 3333)), ["AS3333"]);
        assert_eq!(sets(system(None, 64500)), Vec::<String>::new());
        assert_eq!(sets(system(Some("AS-A, RIPE::AS-B"), 64500)), ["AS-A", "RIPE::AS-B"]);
        assert_eq!(sets(system(Some("nonsense"), 3333)), Vec::<String>::new(), "what was meant is not known");
    }

    #[test]
    fn a_question_carries_what_the_as_says_of_it() {
        let mut of = system(Some("AS-A"), 3333);
        of.irr.sources = "RIPE".to_owned();
        of.irr.args4 = "-A".to_owned();
        let all = questions(&of, &wanted(&of));
        let args: Vec<_> = all.iter().map(|q| (q.what, q.args.as_str(), q.sources.as_str())).collect();
        assert_eq!(
            args,
            [
                (IrrQuestion::Prefixes4, "-A", "RIPE"),
                (IrrQuestion::Prefixes6, "", "RIPE"),
                (IrrQuestion::Numbers, "", "RIPE")
            ]
        );
        of.irr.want_prefixes = false;
        assert_eq!(wanted(&of), [IrrQuestion::Numbers]);
    }

    #[test]
    fn callers_name_sets_and_numbers() {
        let names = |text| -> Vec<_> { named(text).unwrap().into_iter().map(|n| (n.shown, n.set)).collect() };
        let set = |name: &str| Some(name.to_owned());
        assert_eq!(names("as-a,3333, as-a"), [("as-a".to_owned(), set("AS-A")), ("AS3333".to_owned(), set("AS3333"))]);
        assert_eq!(names("64500"), [("AS64500".to_owned(), None)]);
        for text in ["", " , ", "AS-A,0", "AS-A AS-B", "$(id)", "-h", "AS"] {
            assert!(named(text).is_err(), "{text}");
        }
        let many: Vec<String> = (0..=MOST_SETS).map(|n| format!("AS-{n}X")).collect();
        assert!(named(&many.join(",")).is_err());
    }
}
