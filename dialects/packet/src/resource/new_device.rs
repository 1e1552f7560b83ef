//! Reading an order for a device.

use meetme_app::{
    Error,
    devices::{self, NewDevice, Place, Reserved, spot},
    ssh_keys::Keys,
};
use meetme_base::{Id, Invalid, Uid};
use meetme_model::{
    access::{Project, SshKey, User},
    fabric::Block,
    metal::{AddressWish, Reservation},
    place::{Line, Money, Plan, Site},
};
use meetme_store::{Filter, Object};
use serde_json::Value;

use super::{device, facility, image, metro};
use crate::{
    ext,
    input::Input,
    show::Shown,
    work::{Out, Work},
};

/// The domain of host names nobody chose.
const DOMAIN: &str = "packethost.net";

pub fn create(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let project: Id<Project> = work.id("id")?;
    let new = read(work, &work.ask.input)?;
    Ok(Out::one(&devices::order(work.tx, project, &new)?))
}

/// Reads what is wished of a new device: in an order of its own, in a batch, or in a request.
///
/// # Errors
/// When a value is none, or names something that is not there.
pub fn read(work: &mut Work<'_, '_>, input: &Input) -> Result<NewDevice, Error> {
    let plan = plan(work, &input.required("plan")?)?;
    let image = image::find(work, &input.required("operating_system")?)?;
    let reserved = reserved(work, input)?;
    let places = places(work, input, reserved.is_some())?;
    let (required, preferred) = features(input)?;
    let mut new = NewDevice {
        hostname: input.words("hostname")?,
        domain: DOMAIN.to_owned(),
        description: input.text("description")?,
        required,
        preferred,
        term: device::term(&input.words("billing_cycle")?.unwrap_or_else(|| "hourly".to_owned()))?,
        locked: input.flag("locked")?.unwrap_or(false),
        gone_at: input.time("termination_time")?,
        bid: bid(work, input, plan.id)?,
        reserved,
        userdata: input.words("userdata")?,
        ipxe_url: input.words("ipxe_script_url")?,
        always_pxe: input.flag("always_pxe")?.unwrap_or(false),
        layout: input.json("storage")?,
        network_frozen: input.flag("network_frozen")?.unwrap_or(false),
        keys: keys(work, input)?,
        addresses: addresses(work, input)?,
        public4_length: length(input, "public_ipv4_subnet_size")?,
        tags: input.texts("tags")?.unwrap_or_default(),
        ..NewDevice::new(plan.id, image.id, places)
    };
    if let Some(data) = input.json("customdata")? {
        ext::set(&mut new.ext, &device::Own { customdata: Some(data) });
    }
    Ok(new)
}

/// What is bid for a device on the spot market. Clients send a bid of -1 with devices that are not for it.
fn bid(work: &mut Work<'_, '_>, input: &Input, plan: Id<Plan>) -> Result<Option<Money>, Error> {
    if input.flag("spot_instance")? != Some(true) {
        return Ok(None);
    }
    let micros = input.micros("spot_price_max")?.ok_or_else(|| Invalid::required("spot_price_max"))?;
    Ok(Some(Money { micros, currency: spot::currency(work.tx, plan)? }))
}

/// A reserved server by its id, or whichever of the plan is free.
fn reserved(work: &mut Work<'_, '_>, input: &Input) -> Result<Option<Reserved>, Error> {
    const FIELD: &str = "hardware_reservation_id";
    Ok(match input.words(FIELD)? {
        None => None,
        Some(text) if text == "next-available" => Some(Reserved::Next),
        Some(text) => {
            let row = work.row::<Reservation>(&text).map_err(|e| match e {
                Error::Missing { .. } => Invalid::reference(FIELD, format!("The hardware reservation {text}")).into(),
                other => other,
            });
            Some(Reserved::This(row?.id))
        }
    })
}

fn plan(work: &mut Work<'_, '_>, text: &str) -> Result<Object<Plan>, Error> {
    let mut filter = Filter::eq("slug", text);
    if let Ok(uid) = text.parse::<Uid>()
        && let Ok(plan) = work.tx.by_uid::<Plan>(uid)
    {
        filter = Filter::eq("id", plan.id);
    }
    let found = work.tx.one::<Plan>(&filter.and(Filter::eq("line", Line::Server.word())))?;
    found.ok_or_else(|| Invalid::reference("plan", format!("The plan {text}")).into())
}

/// `facility` is a code or an id, `any`, or a list of them, which some call `facilities`; `metro` is the later way to say where. On a
/// server of one's own nothing needs to be said.
fn places(work: &mut Work<'_, '_>, input: &Input, is_reserved: bool) -> Result<Vec<Place>, Error> {
    let mut codes = input.texts("facility")?.unwrap_or_default();
    if codes.is_empty() {
        codes = input.texts("facilities")?.unwrap_or_default();
    }
    let mut out = Vec::with_capacity(codes.len());
    for code in codes {
        out.push(if code == "any" {
            Place::Any
        } else {
            let site: Result<Object<Site>, Error> = facility::find(work, &code);
            Place::Site(known("facility", &code, site)?.id)
        });
    }
    if out.is_empty() {
        let Some(code) = input.words("metro")? else {
            return if is_reserved { Ok(out) } else { Err(Invalid::required("facility").into()) };
        };
        let metro = metro::find(work, &code);
        out.push(Place::Metro(known("metro", &code, metro)?.id));
    }
    Ok(out)
}

/// What an order names and nobody knows is a mistake of the order, not a missing page.
///
/// # Errors
/// The one found, turned into one about the field.
pub fn known<T>(field: &str, text: &str, found: Result<T, Error>) -> Result<T, Error> {
    found.map_err(|e| match e {
        Error::Missing { .. } => Invalid::reference(field, format!("The {field} {text}")).into(),
        other => other,
    })
}

/// Required and preferred features: a list requires all, a map says which.
fn features(input: &Input) -> Result<(Vec<String>, Vec<String>), Error> {
    let Some(Value::Object(map)) = input.raw("features") else {
        return Ok((input.texts("features")?.unwrap_or_default(), Vec::new()));
    };
    let (mut required, mut preferred) = (Vec::new(), Vec::new());
    for (name, how) in map {
        match how.as_str() {
            Some("required") => required.push(name.clone()),
            Some("preferred") => preferred.push(name.clone()),
            _ => return Err(Invalid::choice(format!("features.{name}"), how).into()),
        }
    }
    Ok((required, preferred))
}

/// Lists of ids name keys, or users whose keys are meant; where nothing is named everybody's keys are. One client sends empty lists in
/// every order, so those name nothing; who wants no keys says so.
fn keys(work: &mut Work<'_, '_>, input: &Input) -> Result<Keys, Error> {
    if input.flag("no_ssh_keys")? == Some(true) {
        return Ok(Keys::These { keys: Vec::new(), users: Vec::new() });
    }
    let mut named = input.texts("user_ssh_keys")?.unwrap_or_default();
    named.extend(input.texts("project_ssh_keys")?.unwrap_or_default());
    if named.is_empty() {
        return Ok(Keys::Usual);
    }
    let (mut keys, mut users) = (Vec::new(), Vec::new());
    for text in named {
        if let Ok(user) = work.row::<User>(&text) {
            users.push(user.id);
        } else {
            let key = work.row::<SshKey>(&text);
            keys.push(known("ssh key", &text, key)?.id);
        }
    }
    Ok(Keys::These { keys, users })
}

fn length(input: &Input, name: &str) -> Result<Option<u8>, Error> {
    let number = input.integer(name)?;
    number.map(|n| u8::try_from(n).map_err(|_| Invalid::range(name, 0, 128).into())).transpose()
}

fn addresses(work: &mut Work<'_, '_>, input: &Input) -> Result<Option<Vec<AddressWish>>, Error> {
    let Some(list) = input.list("ip_addresses")?.filter(|list| !list.is_empty()) else { return Ok(None) };
    let mut out = Vec::with_capacity(list.len());
    for each in list {
        let family = each.integer("address_family")?.unwrap_or(4);
        let mut blocks = Vec::new();
        for text in each.texts("ip_reservations")?.unwrap_or_default() {
            let block = work.row::<Block>(&text);
            blocks.push(known(Block::NAME, &text, block)?.id);
        }
        out.push(AddressWish {
            family: u8::try_from(family).unwrap_or(0),
            public: each.flag("public")?.unwrap_or(true),
            length: length(&each, "cidr")?,
            blocks,
        });
    }
    Ok(Some(out))
}
