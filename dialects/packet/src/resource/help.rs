//! Help: questions to the operator, and a look at user data before a machine is given it.

use meetme_app::{
    Error,
    support::{self, Question},
    userdata,
};
use meetme_http::{ValueKind::Text, Verb};
use meetme_model::{access::Project, metal::Device};

use crate::work::{Gives, Out, Row, Work};

pub fn rows() -> Vec<Row> {
    vec![
        Row::post("create_support_request", "/support-requests", Gives::Nothing, ask).status(204).takes(&[
            ("subject", Text),
            ("message", Text),
            ("priority", Text),
            ("device_id", Text),
            ("project_id", Text),
        ]),
        Row::post("validate_userdata", "/userdata/validate", Gives::Nothing, validate)
            .status(204)
            .verb(Verb::Read)
            .takes(&[("userdata", Text)]),
    ]
}

fn ask(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let device = match work.ask.input.words("device_id")? {
        Some(text) => Some(work.row::<Device>(&text).map_err(|_| super::unknown("device_id", &text))?.id.any()),
        None => None,
    };
    let project = match work.ask.input.words("project_id")? {
        Some(text) => Some(work.row::<Project>(&text).map_err(|_| super::unknown("project_id", &text))?.id.any()),
        None => None,
    };
    let question = Question {
        subject: work.ask.input.required("subject")?,
        message: work.ask.input.required("message")?,
        priority: work.ask.input.words("priority")?,
        about: device.or(project),
    };
    support::ask(work.tx, &work.ask.subject, &question)?;
    Ok(Out::Nothing)
}

fn validate(work: &mut Work<'_, '_>) -> Result<Out, Error> {
    let text = work.ask.input.required("userdata")?;
    let found = userdata::check(&text);
    if found.is_empty() { Ok(Out::Nothing) } else { Err(Error::Invalid(found)) }
}
