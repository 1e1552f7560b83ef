//! Operations that a contract has by mistake and that are refused on purpose, each with its reason. The dialects' tests ask every one of
//! them and see that the answer is the one said here, so that nothing can hide in this list.

/// An operation that is refused on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The dialect.
    pub dialect: &'static str,
    /// The operation.
    pub id: &'static str,
    /// The status of the refusal.
    pub status: u16,
    /// Why.
    pub why: &'static str,
}

const LOG: &str = "The change log says what happened; whoever could write to it could make it say something else.";

const fn log(id: &'static str) -> Refused {
    Refused { dialect: "peering-manager", id, status: 405, why: LOG }
}

/// Every one.
pub const REFUSED: &[Refused] = &[
    log("core_object_changes_create"),
    log("core_object_changes_bulk_update"),
    log("core_object_changes_bulk_partial_update"),
    log("core_object_changes_bulk_destroy"),
    log("core_object_changes_update"),
    log("core_object_changes_partial_update"),
    log("core_object_changes_destroy"),
];

/// Why an operation is refused, if it is.
pub fn refused(dialect: &str, id: &str) -> Option<&'static Refused> {
    REFUSED.iter().find(|one| one.dialect == dialect && one.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_operations_of_a_contract_are_refused() {
        for one in REFUSED {
            let contract = crate::of(one.dialect).unwrap_or_else(|| panic!("there is no {}", one.dialect));
            assert!(contract.operation(one.id).is_some(), "{} has no {}", one.dialect, one.id);
            assert!((400..500).contains(&one.status) && !one.why.is_empty(), "{}", one.id);
        }
    }
}
