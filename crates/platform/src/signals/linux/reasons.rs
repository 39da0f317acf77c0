//! What the words mean that programs give for keeping the computer awake. They are words of
//! others: they choose among four kinds and go no further.

use p2p_types::Inhibitor;

const GAME: [&str; 8] = ["game", "steam", "lutris", "heroic", "wine", "proton", "retroarch", "gamepad"];
const CALL: [&str; 17] = [
    "call",
    "webrtc",
    "meeting",
    "conference",
    "zoom",
    "teams",
    "skype",
    "discord",
    "jitsi",
    "signal",
    "element",
    "webex",
    "linphone",
    "mumble",
    "microphone",
    "camera",
    "peerconnection",
];
const PRESENTATION: [&str; 10] = [
    "presentation",
    "presenting",
    "slideshow",
    "slide",
    "impress",
    "powerpoint",
    "caffeine",
    "screencast",
    "recording",
    "okular",
];
const MEDIA: [&str; 15] = [
    "video",
    "audio",
    "movie",
    "film",
    "playing",
    "playback",
    "media",
    "music",
    "vlc",
    "mpv",
    "totem",
    "mplayer",
    "rhythmbox",
    "spotify",
    "kodi",
];

/// The kind by who asks and why. Who keeps the screen on for a reason that nobody knows shows
/// something to somebody.
pub(super) fn classify(who: &str, why: &str) -> Inhibitor {
    // The reason counts before the program: a browser plays films and makes calls.
    for text in [why, who] {
        let text = text.to_lowercase();
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let has = |known: &[&str]| {
            // Long names are found inside of others, as in "gnome-mpv2" or "LibreOffice Impress".
            known
                .iter()
                .any(|known| words.iter().any(|word| word == known || (known.len() > 4 && word.contains(known))))
        };
        if has(&CALL) {
            return Inhibitor::Call;
        }
        if has(&PRESENTATION) {
            return Inhibitor::Presentation;
        }
        if has(&GAME) {
            return Inhibitor::Game;
        }
        if has(&MEDIA) {
            return Inhibitor::Media;
        }
    }
    Inhibitor::Presentation
}

/// Whether it is one of our own programs.
pub(super) fn is_ours(who: &str) -> bool {
    let who = who.to_lowercase().replace([' ', '_'], "-");
    who.contains("p2p-agent") || who.contains("p2p-tray") || who.contains("p2p-daemon")
}

/// The one that counts where there are several.
pub(super) fn strongest(all: impl IntoIterator<Item = Inhibitor>) -> Option<Inhibitor> {
    all.into_iter().min_by_key(|inhibitor| match inhibitor {
        Inhibitor::Game => 0,
        Inhibitor::Call => 1,
        Inhibitor::Presentation => 2,
        Inhibitor::Media => 3,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_real_programs_are_understood() {
        for (who, why, kind) in [
            ("Firefox", "video-playing", Inhibitor::Media),
            ("firefox", "audio-playing", Inhibitor::Media),
            ("Mozilla Firefox", "WebRTC", Inhibitor::Call),
            ("/usr/lib/chromium/chromium", "WebRTC has active PeerConnections", Inhibitor::Call),
            ("google-chrome", "Playing video", Inhibitor::Media),
            ("LibreOffice", "presentation running", Inhibitor::Presentation),
            ("LibreOffice Impress", "", Inhibitor::Presentation),
            ("vlc", "Playing some media.", Inhibitor::Media),
            ("io.mpv.Mpv", "screen", Inhibitor::Media),
            ("ZOOM", "zoom meeting", Inhibitor::Call),
            ("My SDL application", "Playing a game", Inhibitor::Game),
            ("Steam", "", Inhibitor::Game),
            ("caffeine", "user request", Inhibitor::Presentation),
            ("something", "else", Inhibitor::Presentation),
            ("", "", Inhibitor::Presentation),
        ] {
            assert_eq!(classify(who, why), kind, "{who}: {why}");
        }
    }

    #[test]
    fn ours_and_the_strongest_are_found() {
        assert!(is_ours("P2P Agent") && is_ours("p2p-agent") && is_ours("p2p-tray") && !is_ours("agent"));
        assert_eq!(strongest([]), None);
        assert_eq!(strongest([Inhibitor::Media, Inhibitor::Call]), Some(Inhibitor::Call));
    }
}
