//! What can be told of a computer and of its owner, for deciding whether it may work for others.

use serde::{Deserialize, Serialize};

/// What is told apart. One reading of each is kept for each source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalKind {
    /// How long nobody has touched the computer.
    Input,
    /// Mains or battery.
    Power,
    /// The hottest sensor that matters.
    Temperature,
    /// Whether the way to the network is paid by volume.
    Metered,
    /// Something fills the screen.
    FullScreen,
    /// A program asked that the computer stays awake.
    Inhibitor,
    /// What programs other than ours and our workers use of the processors.
    Load,
    /// Memory that can be had.
    Memory,
    /// Room where this node keeps its data.
    Disk,
    /// How far local time is from UTC.
    Zone,
}

impl SignalKind {
    pub const ALL: [Self; 10] = [
        Self::Input,
        Self::Power,
        Self::Temperature,
        Self::Metered,
        Self::FullScreen,
        Self::Inhibitor,
        Self::Load,
        Self::Memory,
        Self::Disk,
        Self::Zone,
    ];

    /// The name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Power => "power",
            Self::Temperature => "temperature",
            Self::Metered => "metered",
            Self::FullScreen => "full_screen",
            Self::Inhibitor => "inhibitor",
            Self::Load => "load",
            Self::Memory => "memory",
            Self::Disk => "disk",
            Self::Zone => "zone",
        }
    }
}

/// One thing that was read. Integers only: a reading is compared and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reading {
    /// Milliseconds since the last key, click or touch. Its source says at once when somebody comes back.
    Input {
        idle_ms: u64,
    },
    /// `percent` is that of all batteries together, where there is one; `saver` the system's power saver.
    Power {
        mains: bool,
        percent: Option<u8>,
        saver: bool,
    },
    /// Tenths of a degree Celsius.
    Temperature {
        decicelsius: i32,
    },
    Metered {
        metered: bool,
    },
    FullScreen {
        full_screen: bool,
    },
    Inhibitor {
        inhibitor: Option<Inhibitor>,
    },
    /// Thousandths of all processors together, ours excluded.
    Load {
        others_permille: u16,
    },
    /// Bytes that can be had without swapping; thousandths of the last ten seconds in which
    /// something waited for memory, where the system says so.
    Memory {
        available_bytes: u64,
        total_bytes: u64,
        pressure_permille: Option<u16>,
    },
    Disk {
        free_bytes: u64,
    },
    /// Minutes east of UTC.
    Zone {
        minutes: i16,
    },
}

impl Reading {
    #[must_use]
    pub const fn kind(&self) -> SignalKind {
        match self {
            Self::Input { .. } => SignalKind::Input,
            Self::Power { .. } => SignalKind::Power,
            Self::Temperature { .. } => SignalKind::Temperature,
            Self::Metered { .. } => SignalKind::Metered,
            Self::FullScreen { .. } => SignalKind::FullScreen,
            Self::Inhibitor { .. } => SignalKind::Inhibitor,
            Self::Load { .. } => SignalKind::Load,
            Self::Memory { .. } => SignalKind::Memory,
            Self::Disk { .. } => SignalKind::Disk,
            Self::Zone { .. } => SignalKind::Zone,
        }
    }
}

/// Why a program keeps the computer awake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inhibitor {
    Presentation,
    Call,
    Media,
    Game,
}

/// Why something cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// Nobody watches a session of the owner's.
    NoSession,
    /// The computer has no such thing (battery, sensor).
    Absent,
    /// The system has no way to ask that this program knows.
    Unsupported,
    /// The system was asked and gave an error or no answer in time.
    Failed,
    /// Who told it before tells it no more.
    SourceGone,
}

/// What one source says of one kind of signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Told {
    pub kind: SignalKind,
    /// What the system was asked with, as in `upower`: one of a fixed list of short names.
    pub by: By,
    /// `Err` is an honest "cannot tell".
    pub reading: Result<Reading, Untold>,
}

/// What the system was asked with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Nothing was found to ask.
    Nothing,
    Mutter,
    IdleNotify,
    X11,
    Logind,
    Upower,
    Sysfs,
    NetworkManager,
    Procfs,
    GameMode,
    ScreenSaver,
    FileSystem,
    Clock,
    Windows,
    Macos,
}

impl By {
    /// The name in the API and in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Mutter => "mutter",
            Self::IdleNotify => "ext-idle-notify",
            Self::X11 => "x11",
            Self::Logind => "logind",
            Self::Upower => "upower",
            Self::Sysfs => "sysfs",
            Self::NetworkManager => "networkmanager",
            Self::Procfs => "procfs",
            Self::GameMode => "gamemode",
            Self::ScreenSaver => "screensaver",
            Self::FileSystem => "filesystem",
            Self::Clock => "clock",
            Self::Windows => "windows",
            Self::Macos => "macos",
        }
    }
}
