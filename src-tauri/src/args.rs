//! What the app can be started with.

use std::ffi::OsString;
use std::path::PathBuf;

use thiserror::Error;

/// The options of `p2p-tray`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// Keep everything of the node in this folder.
    pub(crate) home: Option<PathBuf>,
    /// Start in the tray, without a window; where there is no tray the window opens all the same.
    pub(crate) hidden: bool,
}

/// A call that cannot be understood.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum ArgsError {
    #[error("no folder was named - --home stands alone - use --home DIR")]
    NoFolder,
    #[error("the call cannot be understood - there is no {0:?} - there are --home DIR and --hidden")]
    Unknown(OsString),
}

impl Args {
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut parsed = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--hidden") => parsed.hidden = true,
                Some("--home") => {
                    let folder = args.next().filter(|folder| !folder.is_empty());
                    parsed.home = Some(folder.ok_or(ArgsError::NoFolder)?.into());
                }
                Some(text) if text.starts_with("--home=") => {
                    parsed.home =
                        Some(text["--home=".len()..].into()).filter(|folder: &PathBuf| folder.as_os_str() != "");
                    if parsed.home.is_none() {
                        return Err(ArgsError::NoFolder);
                    }
                }
                _ => return Err(ArgsError::Unknown(arg)),
            }
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, ArgsError> {
        Args::parse(args.iter().map(OsString::from))
    }

    #[test]
    fn both_ways_to_name_a_home() {
        let expected = Args { home: Some("/srv/a b".into()), hidden: true };
        assert_eq!(parse(&["--home", "/srv/a b", "--hidden"]).as_ref(), Ok(&expected));
        assert_eq!(parse(&["--hidden", "--home=/srv/a b"]).as_ref(), Ok(&expected));
        assert_eq!(parse(&[]), Ok(Args::default()));
    }

    #[test]
    fn a_typing_error_is_no_home() {
        assert_eq!(parse(&["--home"]), Err(ArgsError::NoFolder));
        assert_eq!(parse(&["--home", ""]), Err(ArgsError::NoFolder));
        assert_eq!(parse(&["--home="]), Err(ArgsError::NoFolder));
        assert_eq!(parse(&["--hiden"]), Err(ArgsError::Unknown("--hiden".into())));
    }
}
