//! The bare program's list of machines. What is the same for each of them (plan, image, site, metro, project) it has at hand, and does
//! not read: that is to its advantage.

use std::net::{Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result, bail, ensure};

use super::json::{Answer, Cells};
use crate::case::machines_of;

/// Texts that every machine of the list has in common, cut out of an answer of the server's.
#[derive(Debug, Default)]
pub struct Common {
    /// The UUID of the project.
    project: String,
    /// From the plan to the keys.
    middle: String,
    /// Where its addresses are.
    metro: String,
}

impl Common {
    /// Out of the list of a project's machines.
    pub fn of(project: &str, answer: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(answer)?;
        let part = |from: &str, to: &str| {
            let start = text.find(from).with_context(|| format!("no {from} in the list"))?;
            let end = text[start..].find(to).with_context(|| format!("no {to} in the list"))?;
            anyhow::Ok(text[start..start + end].to_owned())
        };
        let (middle, address) =
            (part("\"plan\":", "\"ip_addresses\":")?, part("\"assigned_to\":", ",\"href\":\"/ips/")?);
        let metro = address.split_once(",\"metro\":").context("an address without a metro")?.1.to_owned();
        Ok(Self { project: project.to_owned(), middle, metro })
    }

    /// The project's UUID as the databases keep it.
    pub fn key(&self) -> Result<Vec<u8>> {
        let digits: Vec<u8> = self.project.bytes().filter(|byte| *byte != b'-').collect();
        let pairs = digits.chunks(2).map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?));
        pairs.collect()
    }
}

/// What stands open while machines are written.
#[derive(Debug, Default)]
pub struct Open {
    /// The path of the machine, and which of its lists is being written.
    machine: Option<(String, List)>,
    total: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum List {
    None,
    Addresses,
    Ports,
}

impl Answer<'_> {
    /// A row of the statement: a machine, or an address or port of the last one.
    pub fn machine(&mut self, row: &impl Cells) -> Result<()> {
        match row.int(2)? {
            0 => self.begin_machine(row),
            1 => self.address(row),
            _ => self.port(row),
        }
    }

    fn begin_machine(&mut self, row: &impl Cells) -> Result<()> {
        let is_first = self.open.machine.is_none();
        self.end_machine();
        self.open.total = row.int(10)?;
        self.raw(if is_first { "{\"devices\":[" } else { "," });
        let id = uuid(row.bytes(4)?)?;
        let (short, created) = (&id[..8], row.int(0)?);
        self.raw("{\"id\":\"").raw(&id).raw("\",\"short_id\":\"").raw(short).raw("\",\"hostname\":");
        self.text(row.text(5)?);
        self.raw(
            ",\"description\":null,\"state\":\"active\",\"tags\":[],\"image_url\":null,\"billing_cycle\":\"hourly\"",
        );
        self.raw(",\"user\":\"root\",\"iqn\":\"iqn.").month(created)?.raw(".net.packet:device.").raw(short);
        self.raw("\",\"locked\":false,\"bonding_mode\":4,\"created_at\":").second(created)?;
        self.raw(",\"updated_at\":").second(row.int(6)?)?;
        self.raw(
            ",\"spot_instance\":false,\"spot_price_max\":null,\"termination_time\":null,\"customdata\":{},\
             \"provisioning_percentage\":100.0,\"always_pxe\":false,\"ipxe_script_url\":null,\"location\":{\"cage\":\"\",\
             \"facility\":\"b0\",\"rack\":\"\",\"row\":\"\",\"switch\":\"\"},\"userdata\":\"\",\"root_password\":null,\
             \"volumes\":[],\"hardware_reservation_id\":null,\"storage\":null,\"network_frozen\":false,\
             \"switch_uuid\":null,\"provisioning_events\":[],",
        );
        let common = self.common;
        self.raw(&common.middle);
        self.open.machine = Some((format!("/devices/{id}"), List::None));
        Ok(())
    }

    /// Opens a list of the machine, or goes on in it; answers the machine's path.
    fn within_machine(&mut self, list: List) -> Result<String> {
        let (path, at) = self.open.machine.take().context("a part without a machine")?;
        let between = match (at, list) {
            (List::None, List::Addresses) => "\"ip_addresses\":[",
            (List::Addresses, List::Ports) => "],\"network_ports\":[",
            (at, list) if at == list => ",",
            _ => bail!("parts of a machine out of order"),
        };
        self.raw(between);
        self.open.machine = Some((path.clone(), list));
        Ok(path)
    }

    fn address(&mut self, row: &impl Cells) -> Result<()> {
        let path = self.within_machine(List::Addresses)?;
        let (id, block) = (uuid(row.bytes(4)?)?, uuid(row.bytes(8)?)?);
        let (net, from) = (Net::of(row.bytes(7)?)?, Net::of(row.bytes(11)?)?.network);
        self.raw("{\"id\":\"").raw(&id).raw("\",\"address_family\":").int(net.family).raw(",\"netmask\":\"");
        self.raw(net.mask).raw("\",\"public\":").flag(row.int(6)?).raw(",\"enabled\":true,\"cidr\":").int(net.length);
        self.raw(",\"management\":true,\"manageable\":false,\"global_ip\":false,\"network\":\"").raw(&net.network);
        self.raw("\",\"address\":\"").raw(&net.address).raw("\",\"gateway\":\"").raw(&net.address);
        self.raw("\",\"created_at\":").second(row.int(10)?)?;
        self.raw(",\"parent_block\":{\"network\":\"").raw(&from).raw("\",\"netmask\":\"255.255.255.254\"");
        self.raw(",\"cidr\":31,\"href\":\"/ips/")
            .raw(&block)
            .raw("\"},\"state\":\"pending\",\"details\":null,\"tags\":[]");
        self.raw(",\"customdata\":{},\"assigned_to\":{\"href\":\"").raw(&path).raw("\"},\"metro\":");
        let common = self.common;
        self.raw(&common.metro).raw(",\"href\":\"/ips/").raw(&id).raw("\"}");
        Ok(())
    }

    fn port(&mut self, row: &impl Cells) -> Result<()> {
        let path = self.within_machine(List::Ports)?;
        let id = uuid(row.bytes(4)?)?;
        let is_bond = row.int(6)? == 1;
        self.raw("{\"id\":\"").raw(&id).raw(if is_bond {
            "\",\"type\":\"NetworkBondPort\",\"name\":"
        } else {
            "\",\"type\":\"NetworkPort\",\"name\":"
        });
        self.text(row.text(5)?).raw(",\"data\":{");
        if let Some(mac) = row.text(9)? {
            self.raw("\"mac\":").text(Some(mac)).raw(",");
        }
        self.raw("\"bonded\":true},\"connected_port\":null,\"bond\":");
        if is_bond {
            self.raw("null");
        } else {
            self.raw("{\"id\":\"").raw(&uuid(row.bytes(8)?)?).raw("\",\"name\":\"bond0\"}");
        }
        self.raw(",\"network_type\":\"layer3\",\"disbond_operation_supported\":");
        self.flag(i64::from(!is_bond)).raw(",\"hardware\":{\"href\":\"").raw(&path);
        self.raw("\"},\"virtual_networks\":[],\"native_virtual_network\":null,\"href\":\"/ports/").raw(&id).raw("\"}");
        Ok(())
    }

    fn end_machine(&mut self) {
        if let Some((path, _)) = self.open.machine.take() {
            self.raw("],\"href\":\"").raw(&path).raw("\"}");
        }
    }

    /// The list's end: where the page stands.
    pub fn end_machines(&mut self) {
        self.end_machine();
        let total = self.open.total;
        let path = machines_of(&self.common.project).replace('?', "?page=1&");
        let path = path.replace("per_page", "per%5Fpage").replace(',', "%2C");
        self.raw("],\"meta\":{\"first\":{\"href\":\"")
            .raw(&path)
            .raw("\"},\"previous\":null,\"self\":{\"href\":\"")
            .raw(&path);
        self.raw("\"},\"next\":null,\"last\":{\"href\":\"").raw(&path).raw("\"},\"total\":").int(total);
        self.raw(",\"current_page\":1,\"last_page\":1}}");
    }
}

/// An address with its network, as text.
struct Net {
    family: i64,
    length: i64,
    mask: &'static str,
    network: String,
    address: String,
}

impl Net {
    /// As the store keeps it: the family, the address, the length. All of this data are the smallest networks for two.
    fn of(bytes: &[u8]) -> Result<Self> {
        Ok(match bytes {
            [4, a, b, c, d, 31] => Self {
                family: 4,
                length: 31,
                mask: "255.255.255.254",
                network: Ipv4Addr::new(*a, *b, *c, d & !1).to_string(),
                address: Ipv4Addr::new(*a, *b, *c, *d).to_string(),
            },
            [6, address @ .., 127] => {
                let number = u128::from_be_bytes(address.try_into()?);
                Self {
                    family: 6,
                    length: 127,
                    mask: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
                    network: Ipv6Addr::from(number & !1).to_string(),
                    address: Ipv6Addr::from(number).to_string(),
                }
            }
            _ => bail!("not an address of this data: {bytes:?}"),
        })
    }
}

fn uuid(bytes: &[u8]) -> Result<String> {
    ensure!(bytes.len() == 16, "not a UUID: {bytes:?}");
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(36);
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    Ok(out)
}
