//! Where things stand: the tree, the shared build folder, the assets, the Python environment.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The profile everything that runs is built with.
pub(crate) const PROFILE: &str = "demo";
/// Linker flags for `mold`, used wherever it is installed. The same for every call of cargo, so
/// that nothing is built twice.
const MOLD_VARIABLE: &str = "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS";
const MOLD_FLAGS: &str = "-Clink-arg=-fuse-ld=mold";

/// The folders every task works with.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The tree this xtask belongs to.
    pub(crate) root: PathBuf,
    /// What is kept between runs and between clones.
    pub(crate) cache: PathBuf,
    /// Where cargo builds: `CARGO_TARGET_DIR`, or a folder in the cache that all clones share.
    pub(crate) target: PathBuf,
}

impl Place {
    /// Finds them and makes the cache.
    pub(crate) fn find() -> Result<Self> {
        let manifest =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = manifest.parent().context("xtask stands in a folder of the tree")?.to_path_buf();
        let cache = user_cache().context("neither XDG_CACHE_HOME nor HOME is set")?.join("p2p-agent");
        std::fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(folder) if !folder.is_empty() => root.join(folder),
            _ => cache.join("target"),
        };
        Ok(Self { root, cache, target })
    }

    /// `xtask models` fills it; binaries in the build folder find it beside theirs.
    pub(crate) fn assets(&self) -> PathBuf {
        self.target.join("assets")
    }

    pub(crate) fn venv(&self) -> PathBuf {
        self.cache.join("venv")
    }

    /// A program of the Python environment.
    pub(crate) fn venv_program(&self, name: &str) -> PathBuf {
        if cfg!(windows) {
            self.venv().join("Scripts").join(format!("{name}.exe"))
        } else {
            self.venv().join("bin").join(name)
        }
    }

    /// One of ours, built with [`PROFILE`].
    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.target.join(PROFILE).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// Cargo in the tree, building into the shared folder.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // What `cargo run` told xtask about itself is not meant for the next cargo.
        for (name, _) in env::vars_os() {
            let shown = name.to_string_lossy();
            let own = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
            if own.iter().any(|prefix| shown.starts_with(prefix)) {
                command.env_remove(&name);
            }
        }
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        if env::var_os(MOLD_VARIABLE).is_none() && in_path("mold").is_some() {
            command.env(MOLD_VARIABLE, MOLD_FLAGS);
        }
        command
    }

    /// One of our binaries, in an environment that says nothing about homes or assets.
    pub(crate) fn ours(&self, name: &str) -> Command {
        let mut command = Command::new(self.binary(name));
        for (variable, _) in env::vars_os() {
            if variable.to_string_lossy().starts_with("P2P_AGENT_") {
                command.env_remove(&variable);
            }
        }
        // Cargo points it at its own libraries; ours need none of them.
        command.env_remove("LD_LIBRARY_PATH").current_dir(&self.root);
        command
    }
}

fn user_cache() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .or_else(|| absolute("LOCALAPPDATA"))
}

/// Where a program is that can be started by its name.
pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(&file)).find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
