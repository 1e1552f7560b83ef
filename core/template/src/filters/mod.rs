//! The filters, by theme, and the methods of objects and lists, which are filters under other names.
//!
//! Rule: what a filter visits costs fuel. The engine counts what it makes itself and what filters give back; the way there is
//! ours to count.

mod address;
mod context;
mod generic;
mod policy;
mod session;
mod system;

use minijinja::{
    Environment, Error, ErrorKind, State,
    value::{Kwargs, Rest, Value, ValueOrKwargs, from_args},
};

use crate::{Entity, Rows};

/// A filter: what it is applied to and what it is given.
type Body = fn(&State<'_, '_>, &Value, Given) -> Result<Value, Error>;

/// Every filter of ours.
const ALL: &[(&str, Body)] = &[
    // Texts and lists.
    ("safe_string", generic::safe_string),
    ("quote", generic::quote),
    ("length", generic::length),
    ("len", generic::length),
    ("count", generic::length),
    ("filter", generic::filter),
    ("get", generic::get),
    ("unique_items", generic::unique_items),
    ("iterate", generic::iterate),
    ("as_json", generic::as_json),
    ("as_yaml", generic::as_yaml),
    ("indent", generic::indent),
    // Tags, status, context.
    ("tags", context::tags),
    ("has_tag", context::has_tag),
    ("has_not_tag", context::has_not_tag),
    ("inherited_status", context::inherited_status),
    ("context_has_key", context::has_key),
    ("context_has_not_key", context::has_not_key),
    ("context_get_key", context::get_key),
    // Addresses.
    ("ipv4", address::ipv4),
    ("ipv6", address::ipv6),
    ("ip", address::ip),
    ("ip_version", address::ip_version),
    ("mac", address::mac),
    ("local_ips", address::local_ips),
    ("max_prefix", address::max_prefix),
    // Autonomous systems.
    ("ixps", system::ixps),
    ("shared_ixps", system::shared_ixps),
    ("shared_facilities", system::shared_facilities),
    ("missing_sessions", system::missing_sessions),
    ("prefix_list", system::prefix_list),
    ("as_list", system::as_list),
    ("strip_irr_sources", system::strip_irr_sources),
    ("relationships", system::relationships),
    ("contact", system::contact),
    // Sessions.
    ("sessions", session::sessions),
    ("direct_sessions", session::direct_sessions),
    ("ixp_sessions", session::ixp_sessions),
    ("route_server", session::route_server),
    ("connections", session::connections),
    ("direct_peers", session::direct_peers),
    ("ixp_peers", session::ixp_peers),
    ("bfds", session::bfds),
    ("cisco_password", session::type7_password),
    ("arista_password", session::type7_password),
    // Policies and communities.
    ("iter_import_policies", policy::iter_import),
    ("iter_export_policies", policy::iter_export),
    ("merge_import_policies", policy::merge_import),
    ("merge_export_policies", policy::merge_export),
    ("routing_policies", policy::of_router),
    ("communities", policy::communities),
    ("merge_communities", policy::merge_communities),
];

/// The names of our filters.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

/// The policies a router needs, as the variable `routing_policies` holds them.
pub fn routing_policies(router: &Entity) -> Value {
    let rows = policy::needed(router);
    rows.with(rows.at.clone())
}

/// Puts the filters into an environment.
pub(crate) fn add(env: &mut Environment<'_>) {
    for (name, body) in ALL {
        let body = *body;
        env.add_filter(*name, move |state: &State, value: Value, rest: Rest<ValueOrKwargs>| {
            body(state, &value, Given::of(rest.into_values())?)
        });
    }
}

/// A method of an object.
pub(crate) fn method(state: &State<'_, '_>, entity: &Entity, name: &str, args: &[Value]) -> Result<Value, Error> {
    let body: Body = match name {
        "get_peering_sessions" => session::sessions,
        "get_direct_peering_sessions" => session::direct_sessions,
        "get_ixp_peering_sessions" => session::ixp_sessions,
        "get_connections" => session::connections,
        "get_direct_autonomous_systems" => session::direct_peers,
        "get_ixp_autonomous_systems" => session::ixp_peers,
        "get_bfd_configs" => session::bfds,
        "get_routing_policies" => policy::of_router,
        "get_internet_exchange_points" => system::ixps,
        "get_relationships" => system::relationships,
        "import_policies" => policy::iter_import,
        "export_policies" => policy::iter_export,
        "merged_import_policies" => policy::merge_import,
        "merged_export_policies" => policy::merge_export,
        "merged_communities" => policy::merge_communities,
        "get_irr_as_set_prefixes" => system::prefix_list,
        "get_irr_as_set_as_list" => system::as_list,
        "get_config_context" => return Ok(entity.field("config_context").unwrap_or(Value::from(()))),
        _ => return Err(Error::from(ErrorKind::UnknownMethod)),
    };
    let mut given = Given::of(args.to_vec())?;
    for (theirs, ours) in [
        ("bgp_group", "group"),
        ("internet_exchange_point", "ixp"),
        ("local_autonomous_system", "local_autonomous_system"),
        ("address_family", "family"),
    ] {
        given.rename(theirs, ours);
    }
    // The methods for sessions are given a group or an exchange first, the filters a family.
    if matches!(name, "get_direct_peering_sessions" | "get_ixp_peering_sessions") && !given.args.is_empty() {
        given.args.insert(0, Value::from(0));
    }
    body(state, &Entity::value(&entity.tree, entity.key), given)
}

/// A method of a list; none when lists have no such.
pub(crate) fn list_method(
    state: &State<'_, '_>,
    list: &Value,
    name: &str,
    args: &[Value],
) -> Option<Result<Value, Error>> {
    let body: Body = match name {
        "filter" => generic::filter,
        "exclude" => generic::exclude,
        "get" => generic::get,
        "order_by" => generic::order_by,
        "values_list" => generic::values_list,
        _ => return None,
    };
    Some(Given::of(args.to_vec()).and_then(|given| body(state, list, given)))
}

/// What a filter was given: by place or by name.
pub(crate) struct Given {
    args: Vec<Value>,
    named: Vec<(String, Value)>,
    next: usize,
}

impl Given {
    /// From the engine's arguments.
    pub fn of(values: Vec<Value>) -> Result<Self, Error> {
        let (args, kwargs): (&[Value], Kwargs) = from_args(&values)?;
        let named = kwargs.args().map(|name| Ok((name.to_owned(), kwargs.peek::<Value>(name)?)));
        Ok(Self { args: args.to_vec(), named: named.collect::<Result<_, Error>>()?, next: 0 })
    }

    fn rename(&mut self, from: &str, to: &str) {
        for (name, _) in &mut self.named {
            if name == from {
                to.clone_into(name);
            }
        }
    }

    /// The next argument by place, else the one of this name. Nothing counts as not given.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let value = match self.args.get(self.next) {
            Some(value) => {
                self.next += 1;
                value.clone()
            }
            None => {
                let at = self.named.iter().position(|(n, _)| n == name)?;
                self.named.swap_remove(at).1
            }
        };
        (!value.is_none() && !value.is_undefined()).then_some(value)
    }

    /// The same as text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_str() {
                Some(text) => Ok(Some(text.to_owned())),
                None => Err(wrong(format!("{name} must be a string"))),
            },
        }
    }

    /// The same as a whole number.
    pub fn number(&mut self, name: &str) -> Result<Option<i64>, Error> {
        match self.take(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(format!("{name} must be a number"))),
            },
        }
    }

    /// The same as a truth value.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.take(name).map(|value| value.is_true())
    }

    /// The family asked for, where it is one.
    pub fn family(&mut self) -> Result<Option<u8>, Error> {
        Ok(match self.number("family")? {
            Some(4) => Some(4),
            Some(6) => Some(6),
            _ => None,
        })
    }

    /// All that was given by name.
    pub fn names(&mut self) -> Vec<(String, Value)> {
        std::mem::take(&mut self.named)
    }

    /// All that is left by place.
    pub fn places(&mut self) -> Vec<Value> {
        let rest = self.args.split_off(self.next.min(self.args.len()));
        self.next = self.args.len();
        rest
    }

    /// Nothing else was given.
    pub fn done(self) -> Result<(), Error> {
        if self.next < self.args.len() {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        match self.named.first() {
            None => Ok(()),
            Some((name, _)) => Err(Error::new(ErrorKind::TooManyArguments, format!("unknown argument '{name}'"))),
        }
    }
}

/// A complaint of a filter.
pub(crate) fn wrong(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, why.into())
}

/// Pays for a look at so many things.
pub(crate) fn pay(state: &State<'_, '_>, things: usize) -> Result<(), Error> {
    state.consume_fuel(u64::try_from(things / 4).unwrap_or(u64::MAX).saturating_add(1))
}

/// The object a filter is applied to.
pub(crate) fn entity<'v>(value: &'v Value, wants: &str) -> Result<&'v Entity, Error> {
    Entity::of(value).ok_or_else(|| wrong(format!("{} is not {wants}", value.kind())))
}

/// The members of a list of any sort.
pub(crate) fn items(state: &State<'_, '_>, value: &Value) -> Result<Vec<Value>, Error> {
    if value.as_str().is_some() || Entity::of(value).is_some() {
        return Err(wrong("the value is not a list"));
    }
    if let Some(rows) = Rows::of(value) {
        pay(state, rows.at.len())?;
        return Ok(rows.entities().map(|e| Entity::value(&e.tree, e.key)).collect());
    }
    let mut out = Vec::new();
    for item in value.try_iter().map_err(|_| wrong("the value is not a list"))?.checked() {
        out.push(item?);
        if out.len() % 256 == 0 {
            pay(state, 256)?;
        }
    }
    Ok(out)
}

/// One field of an item, `a__b` and `a.b` leading on; nothing when there is none.
pub(crate) fn field(item: &Value, path: &str) -> Option<Value> {
    let direct = item.get_attr(path).ok().filter(|v| !v.is_undefined());
    if direct.is_some() || !(path.contains("__") || path.contains('.')) {
        return direct;
    }
    let mut at = item.clone();
    for name in path.split("__").flat_map(|part| part.split('.')) {
        at = at.get_attr(name).ok().filter(|v| !v.is_undefined())?;
    }
    Some(at)
}
