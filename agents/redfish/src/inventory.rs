//! What a server is made of and how it feels.

use meetme_agent::{
    AgentError,
    server::{Health, Inventory, InventoryNic},
};
use meetme_base::MacAddr;
use serde::Serialize;
use serde_json::Value;

use crate::{
    Bmc,
    bmc::{link, links},
};

/// One reading of a sensor.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sensor {
    /// Its name.
    pub name: String,
    /// What it reads; absent when it is off or out of order.
    pub reading: Option<f64>,
    /// In which unit, as the controller spells it.
    pub unit: String,
    /// What the controller thinks of it.
    pub health: Option<Health>,
}

impl Bmc {
    /// What the server is made of.
    ///
    /// # Errors
    /// When the controller cannot be asked, or the server has no serial number to be known by.
    pub async fn inventory(&self) -> Result<Inventory, AgentError> {
        let system = self.client.get(&self.system).await?;
        let part = |key: &str| system.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
        // A machine whose maker gave it none is known by its UUID, which SMBIOS makes of what it has.
        let serial = part("SerialNumber").or_else(|| part("UUID"));
        let serial = serial.ok_or_else(|| AgentError::broken("The server has neither serial number nor UUID."))?;
        let sensors = self.sensors().await?;
        let faulty = sensors.iter().filter(|s| s.health.is_some_and(|h| h != Health::Ok));
        Ok(Inventory {
            serial: serial.to_owned(),
            maker: part("Manufacturer").unwrap_or_default().to_owned(),
            model: part("Model").unwrap_or_default().to_owned(),
            uuid: part("UUID").map(str::to_owned),
            power: system.get("PowerState").and_then(Value::as_str) == Some("On"),
            health: health(&system),
            memory_mib: system.pointer("/MemorySummary/TotalSystemMemoryGiB").and_then(Value::as_f64).map(mib),
            processors: system
                .pointer("/ProcessorSummary/Count")
                .and_then(Value::as_u64)
                .and_then(|n| n.try_into().ok()),
            processor: system.pointer("/ProcessorSummary/Model").and_then(Value::as_str).map(str::to_owned),
            nics: self.nics(&system).await?,
            faults: faulty.map(|s| s.name.clone()).collect(),
        })
    }

    /// Its network interfaces, in the order of the controller. Those without an address of their own, and such as lead from the
    /// machine to its controller, are left out.
    async fn nics(&self, system: &Value) -> Result<Vec<InventoryNic>, AgentError> {
        let Some(collection) = link(system, "/EthernetInterfaces") else { return Ok(Vec::new()) };
        let mut out: Vec<InventoryNic> = Vec::new();
        for one in self.client.members(&collection).await? {
            let text = |key: &str| one.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
            let mac = text("PermanentMACAddress").or_else(|| text("MACAddress"));
            let Some(mac) = mac.and_then(|text| text.parse::<MacAddr>().ok()) else { continue };
            if text("EthernetInterfaceType") == Some("Virtual") || out.iter().any(|known| known.mac == mac) {
                continue;
            }
            let name = text("Id").or_else(|| text("Name")).unwrap_or_default().to_owned();
            out.push(InventoryNic { name, mac, link: text("LinkStatus").map(|status| status == "LinkUp") });
        }
        Ok(out)
    }

    /// Every reading of every chassis the server is in.
    ///
    /// # Errors
    /// When the controller cannot be asked; one without sensors has none.
    pub async fn sensors(&self) -> Result<Vec<Sensor>, AgentError> {
        let system = self.client.get(&self.system).await?;
        let mut out = Vec::new();
        for chassis in links(&system, "/Links/Chassis") {
            let chassis = match self.client.get(&chassis).await {
                Err(AgentError::Unsupported { .. }) => continue,
                chassis => chassis?,
            };
            // Newer controllers have one list, older ones two documents.
            if let Some(list) = link(&chassis, "/Sensors")
                && let Some(list) = known(self.client.members(&list).await)?
            {
                out.extend(list.iter().filter_map(sensor));
                continue;
            }
            for (document, parts) in
                [("/Thermal", &["Temperatures", "Fans"][..]), ("/Power", &["Voltages", "PowerSupplies"])]
            {
                let Some(link) = link(&chassis, document) else { continue };
                let Some(document) = known(self.client.get(&link).await)? else { continue };
                let all = parts.iter().filter_map(|part| document.get(part).and_then(Value::as_array)).flatten();
                out.extend(all.filter_map(sensor));
            }
        }
        Ok(out)
    }
}

/// An answer, or none where the controller does not have what one of its own links leads to.
fn known<T>(answer: Result<T, AgentError>) -> Result<Option<T>, AgentError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(AgentError::Unsupported { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

fn sensor(one: &Value) -> Option<Sensor> {
    let text = |key: &str| one.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    if one.pointer("/Status/State").and_then(Value::as_str).is_some_and(|state| state == "Absent") {
        return None;
    }
    let number = |key: &str, unit: &str| one.get(key).and_then(Value::as_f64).map(|n| (n, unit.to_owned()));
    let (reading, unit) = number("Reading", text("ReadingUnits").unwrap_or_default())
        .or_else(|| number("ReadingCelsius", "Cel"))
        .or_else(|| number("ReadingVolts", "V"))
        .or_else(|| number("PowerInputWatts", "W"))
        .map_or((None, String::new()), |(reading, unit)| (Some(reading), unit));
    Some(Sensor { name: text("Name")?.to_owned(), reading, unit, health: health(one) })
}

/// What a resource's `Status` says of its health; the roll-up over its parts first.
pub(crate) fn health(of: &Value) -> Option<Health> {
    let said = |key: &str| of.pointer(&format!("/Status/{key}")).and_then(Value::as_str);
    match said("HealthRollup").or_else(|| said("Health"))? {
        "OK" => Some(Health::Ok),
        "Warning" => Some(Health::Warning),
        "Critical" => Some(Health::Critical),
        _ => None,
    }
}

/// Controllers count memory in binary gigabytes, sometimes in parts of one.
fn mib(gib: f64) -> u64 {
    let mib = (gib * 1024.0).round();
    if (0.0..1e12).contains(&mib) { format!("{mib:.0}").parse().unwrap_or(0) } else { 0 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sensor_is_read_in_the_forms_of_old_and_new_controllers() {
        let new = json!({"Name": "Inlet", "Reading": 21.5, "ReadingUnits": "Cel", "Status": {"Health": "OK"}});
        let old = json!({"Name": "CPU1", "ReadingCelsius": 96, "Status": {"Health": "Critical"}});
        let read = |one: &Value| sensor(one).map(|s| (s.reading, s.unit, s.health));
        assert_eq!(read(&new), Some((Some(21.5), "Cel".into(), Some(Health::Ok))));
        assert_eq!(read(&old), Some((Some(96.0), "Cel".into(), Some(Health::Critical))));
        assert_eq!(read(&json!({"Name": "Fan 9", "Status": {"State": "Absent"}})), None);
        assert_eq!((mib(0.5), mib(192.0), mib(-1.0)), (512, 196_608, 0));
    }
}
