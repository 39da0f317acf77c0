//! Landlock: which files can be read. It also shuts TCP and, on newer systems, signals to other
//! processes and abstract sockets, a second lock beside the filtered calls.

use std::path::PathBuf;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, LandlockStatus, PathBeneath, PathFd, Ruleset,
    RulesetAttr as _, RulesetCreatedAttr as _, RulesetError, RulesetStatus, Scope,
};

/// What came of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Paths {
    /// The version that is in force.
    pub(super) version: u8,
    /// In force for every thread there is.
    pub(super) everywhere: bool,
    /// TCP is shut.
    pub(super) tcp: bool,
}

/// The newest version whose rights are asked for. Those that the system does not know are left
/// out.
const NEWEST: ABI = ABI::V7;

/// Leaves reading the files of these folders to the calling thread and to those it will start.
pub(super) fn restrict(readable: &[PathBuf], threads: usize) -> Result<Paths, String> {
    let status = apply(readable).map_err(|error| error.to_string())?;
    let (
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced,
        LandlockStatus::Available { effective_abi, .. },
    ) = (status.ruleset, status.landlock)
    else {
        return Err("it is not part of this kernel, or it is turned off".to_owned());
    };
    let version = effective_abi.min(NEWEST);
    let everywhere = threads == 1;
    Ok(Paths { version: version as u8, everywhere, tcp: version >= ABI::V4 })
}

fn apply(readable: &[PathBuf]) -> Result<landlock::RestrictionStatus, RulesetError> {
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?;
    for folder in readable {
        // A folder that is not there needs no right.
        if let Ok(opened) = PathFd::new(folder) {
            rules = rules.add_rule(PathBeneath::new(opened, AccessFs::ReadFile))?;
        }
    }
    rules.restrict_self()
}
