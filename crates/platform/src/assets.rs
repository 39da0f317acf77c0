use std::env;
use std::path::{Path, PathBuf};

/// The folder of what is not code: runtime library, models, built user interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    pub root: PathBuf,
}

impl Assets {
    /// `$P2P_AGENT_ASSETS`, whatever is there; else the first that exists of: `assets` beside
    /// this program, `assets` beside its folder (a build folder), and where packages put it.
    #[must_use]
    pub fn find() -> Option<Self> {
        if let Some(named) = env::var_os("P2P_AGENT_ASSETS").filter(|value| !value.is_empty()) {
            return Some(Self { root: PathBuf::from(named) });
        }
        candidates(program_folder().as_deref()).into_iter().find(|root| root.is_dir()).map(|root| Self { root })
    }

    /// The ONNX Runtime library.
    #[must_use]
    pub fn runtime(&self) -> PathBuf {
        let name = if cfg!(windows) {
            "onnxruntime.dll"
        } else if cfg!(target_os = "macos") {
            "libonnxruntime.dylib"
        } else {
            "libonnxruntime.so"
        };
        self.root.join("runtime").join(name)
    }

    /// The folder of the model of this name.
    #[must_use]
    pub fn model(&self, name: &str) -> PathBuf {
        self.root.join("models").join(name)
    }

    /// The folder of the built user interface.
    #[must_use]
    pub fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }
}

/// The program of this name that lies beside this one.
#[must_use]
pub fn sibling(name: &str) -> Option<PathBuf> {
    let path = program_folder()?.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    path.is_file().then_some(path)
}

fn program_folder() -> Option<PathBuf> {
    env::current_exe().ok()?.parent().map(Path::to_path_buf)
}

fn candidates(program: Option<&Path>) -> Vec<PathBuf> {
    let mut all = Vec::new();
    if let Some(folder) = program {
        all.push(folder.join("assets"));
        if let Some(above) = folder.parent() {
            all.push(above.join("assets"));
            all.push(above.join("lib/p2p-agent"));
        }
    }
    if cfg!(unix) {
        all.push(PathBuf::from("/usr/lib/p2p-agent"));
        all.push(PathBuf::from("/usr/lib/P2P Agent"));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_folder_is_found_before_an_installation() {
        let all = candidates(Some(Path::new("/build/demo")));
        let place = |path: &str| all.iter().position(|known| known == Path::new(path)).expect(path);
        assert!(place("/build/demo/assets") < place("/build/assets"));
        assert!(place("/build/assets") < place("/build/lib/p2p-agent"));
        assert!(place("/build/lib/p2p-agent") < place("/usr/lib/p2p-agent"));
    }

    #[test]
    fn a_program_that_is_not_there_is_no_sibling() {
        assert_eq!(sibling("p2p-nobody"), None);
        let me = env::current_exe().expect("a test has a program");
        let name = me.file_stem().and_then(|name| name.to_str()).expect("a plain name");
        assert_eq!(sibling(name), Some(me.clone()));
    }
}
