//! Translated addresses of a circuit: what a customer chose is held, what was left open is allotted, unique within the network.

use meetme_base::{Id, Invalid, IpNet};
use meetme_model::fabric::{Circuit, Nat};
use meetme_store::Tx;

use crate::{Error, allocate};

/// The length of the block that a smaller network is said to be taken from.
const BLOCK: u8 = 24;

/// Brings the claims of a circuit's translation in step with the wish, and writes what was allotted into it. What was allotted to a
/// native network before stays with it.
///
/// # Errors
/// [`Error::Conflict`] `nat_taken`, [`Error::Exhausted`], [`Error::Invalid`] on networks that cannot be translated.
pub(super) fn settle(tx: &mut Tx<'_>, id: Id<Circuit>, old: Option<&Nat>, circuit: &mut Circuit) -> Result<(), Error> {
    let before = old.cloned().unwrap_or_default();
    if before == circuit.nat {
        return Ok(());
    }
    let Some(network) = circuit.network else {
        return Err(Invalid::rule("nat", "Addresses are translated where a circuit ends in a network.").into());
    };
    let owner = id.any();
    let pool = format!("nat.{network}");
    for (held_in, claim) in tx.held_by(owner)? {
        if held_in == pool {
            tx.release(&pool, claim.item)?;
        }
    }
    let nat = &mut circuit.nat;
    if !nat.enabled {
        *nat = Nat::default();
        return Ok(());
    }
    // Chosen ones first, so that nothing is allotted on top of them.
    for map in nat.maps.iter_mut() {
        let kept = before.maps.iter().find(|m| m.native == map.native).and_then(|m| m.nat);
        map.nat = map.nat.or(kept);
        if let Some(IpNet::V4(net)) = map.nat {
            allocate::translated_exactly(tx, network.any(), net, owner)?;
        }
    }
    for (i, map) in nat.maps.iter_mut().enumerate() {
        let IpNet::V4(native) = map.native else {
            return Err(Invalid::rule(format!("nat.maps.{i}.native"), "Only IPv4 addresses are translated.").into());
        };
        if map.nat.is_none() {
            let net = allocate::translated(tx, network.any(), native.prefix_len(), owner)?;
            map.nat = Some(net.into());
        }
        map.block = map.nat.and_then(block_of);
    }
    let mut blocks: Vec<IpNet> = nat.maps.iter().filter_map(|map| map.block).collect();
    blocks.sort_unstable();
    blocks.dedup();
    nat.blocks = blocks;
    nat.outbound = Some(allocate::translated(tx, network.any(), 32, owner)?.into());
    Ok(())
}

fn block_of(net: IpNet) -> Option<IpNet> {
    let length = net.prefix_len().min(BLOCK);
    IpNet::new(net.addr(), length).ok().map(|block| block.trunc())
}
