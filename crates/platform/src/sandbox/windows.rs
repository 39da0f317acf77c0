//! Nothing yet: a job object with limits and a token without rights are made by whoever starts a
//! worker. So nothing is claimed.

use super::{Level, Rules};

pub(super) fn close(_rules: &Rules) -> Level {
    Level::default()
}
