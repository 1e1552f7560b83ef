//! Attachments: which device may use a volume.

use meetme_app::{Error, volumes};
use meetme_base::Id;
use meetme_http::ValueKind::Text;
use meetme_model::{
    Wanted,
    metal::{Attachment, Device, Volume},
};
use meetme_store::{Filter, Object, Order, Resource};
use schemars::JsonSchema;
use serde::Serialize;

use super::device;
use crate::{
    error::renamed,
    show::{Relation, Show, Shown},
    work::{Gives, Out, Row, Work},
};

const ONE: Gives = Gives::One("VolumeAttachment");

pub fn rows() -> Vec<Row> {
    vec![
        Row::get(
            "list_volume_attachments",
            "/storage/{id}/attachments",
            Gives::List("attachments", "VolumeAttachment"),
            list,
        ),
        Row::post("attach_volume", "/storage/{id}/attachments", ONE, attach).takes(&[("device_id", Text)]),
        Row::get("get_volume_attachment", "/storage/attachments/{id}", ONE, get),
        Row::delete("detach_volume", "/storage/attachments/{id}", detach),
    ]
}

/// The fields of an attachment.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wire {
    id: String,
}

impl Shown for Attachment {
    const NAME: &'static str = "VolumeAttachment";
    const PATH: Option<&'static str> = Some("/storage/attachments");
    const RELATIONS: &'static [Relation<Self>] = &[
        Relation::<Self>::one("volume", &[Volume::KIND], |a| Some(a.volume.any())),
        Relation::<Self>::one("device", &[Device::KIND], |a| Some(a.device.any())),
    ];
    type Wire = Wire;

    fn draw(_: &mut Show<'_, '_>, objects: &[Object<Self>]) -> Result<Vec<Wire>, Error> {
        Ok(objects.iter().map(|row| Wire { id: row.uid.to_string() }).collect())
    }
}

fn list(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let volume: Id<Volume> = work.id("id")?;
    let held = Filter::eq("volume", volume).and(Filter::eq("wanted", Wanted::Up.word()));
    work.every::<Attachment>("attachments", held.and(meetme_model::living()), vec![Order::up("id")])
}

fn attach(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let volume: Id<Volume> = work.id("id")?;
    let text = work.ask.input.required("device_id")?;
    let device = work.row::<Device>(&text).map_err(|_| super::unknown("device_id", &text))?;
    // What the machine is told to call itself, by this door and by the metadata it reads.
    let name = device::iqn(&device);
    let made = volumes::attach(work.tx, volume, device.id, Some(name));
    Ok(Out::one(&made.map_err(|e| renamed(e, "device", "device_id"))?))
}

/// One that is being taken away is gone for whoever asks.
fn named(work: &mut Work<'_, '_>) -> Result<Object<Attachment>, Error> {
    let row = work.named::<Attachment>("id")?;
    if row.spec.life.wanted == Wanted::Gone { Err(Error::missing(Attachment::KIND, row.uid)) } else { Ok(row) }
}

fn get(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    Ok(Out::one(&named(work)?))
}

fn detach(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let row = named(work)?;
    volumes::detach(work.tx, row.id)?;
    Ok(Out::Nothing)
}
