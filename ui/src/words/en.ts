// Every text of the app in one place, so that a translation is one more file of the same shape.
// Plain words, present tense. "Another computer", not "peer", outside Network.

import { computer } from "./en.computer";
import { schedule } from "./en.schedule";
import { wallet } from "./en.wallet";

const plural = (count: number, one: string, many: string): string =>
  count === 1 ? one : `${new Intl.NumberFormat("en").format(count)} ${many}`;

export const en = {
  app: {
    name: "P2P Agent",
    pages: { home: "Home", wallet: "Wallet", network: "Network", settings: "Settings", activity: "Activity" },
    navigation: "Pages",
    broken: {
      code: "UI",
      title: "This page cannot be shown",
      detail: "The node works on. Showing the page again usually helps.",
    },
    title: (page: string) => `${page} - P2P Agent`,
  },

  states: {
    working: "Working",
    waiting: "Waiting",
    paused: "Paused",
    offline: "Offline",
    alone: "Not in a network",
    starting: "Starting",
    stopping: "Stopping",
    unreachable: "Not running",
  },

  home: {
    connected: (count: number) => plural(count, "1 other computer connected", "other computers connected"),
    nobody: "No other computer connected",
    inNetwork: (name: string) => `Network: ${name}`,
    doneForOthers: (count: number) =>
      plural(count, "1 piece of work done for others", "pieces of work done for others"),
    workForOthers: "Work for others",
    on: "On",
    off: "Paused",
    switchFailed: "The switch did not move.",
    joinOrStart: "Join or start a network",
    invite: "Invite somebody",
    notes: "What needs attention",
  },

  link: {
    connecting: "Looking for the node: it answers in a moment.",
    starting: "Starting the node: it is ready in a moment.",
    unreachable: "The node is not running: nothing is computed, and nobody can reach this computer.",
    startIt: "Start it",
    startWith: "Start it with p2p-agent up. This page connects by itself.",
    startFailed: "It did not start.",
    trying: "Starting it",
  },

  tryIt: {
    heading: "Try it",
    label: "Does this text sound positive or negative?",
    placeholder: "Write or paste a sentence",
    empty: "Write a sentence first.",
    where: "Where may it run?",
    choices: {
      local: "Only here",
      trusted: "People I chose",
      public: "Anyone",
    },
    meanings: {
      local: "The text stays on this computer.",
      trusted: "The text may go to computers that you trust. Where none is free, it runs here.",
      public:
        "The text may go to any computer in the network, and its owner could read it. Where none is free, it runs here.",
    },
    noNetwork: "Until this computer is in a network, everything runs here.",
    run: "Run",
    cancel: "Cancel",
    shortcut: "Ctrl+Enter",
  },

  computer,
  wallet,
  schedule,

  stages: {
    heading: "Progress",
    searching: "Searching",
    assigned: "Assigned",
    computing: "Computing",
    done: "Done",
    failed: "Failed",
    cancelled: "Cancelled",
    sending: "Handing it over",
    notYet: "not yet",
  },

  answer: {
    heading: "Answer",
    labels: { positive: "Positive", negative: "Negative" } as Record<string, string>,
    certainty: (share: string) => `${share} certain`,
    here: (time: string) => `Computed on this computer in ${time}.`,
    elsewhere: (computer: string, time: string) => `Computed by ${computer} in ${time}.`,
    anotherComputer: (id: string) => `another computer (${id})`,
    stayed: "The text did not leave this computer.",
    left: "The text was sent to it, and the departure is in your log.",
    none: "There is no answer.",
    about: (text: string) => `About: ${text}`,
  },

  network: {
    kinds: {
      open: "Open to everybody",
      closed: "For invited people",
      local: "For computers nearby",
    },
    reachable: (connected: number, known: number) =>
      known === 0
        ? "No other computer yet"
        : connected === known
          ? plural(connected, "1 other computer, connected", "other computers, all connected")
          : `${connected} of ${known} other computers connected`,
    alone: "Nobody else is here yet. Invite somebody, and their computer appears here.",
    thisComputer: "This computer",

    picture: {
      label: (connected: number, known: number) =>
        `This computer in the middle and ${plural(known, "1 other", "others")} around it, ${connected} connected. The table says the same.`,
      distance: "Nearer is faster. The circles are delays of 1, 10 and 100 ms.",
      legend: {
        accepting: "takes work",
        busy: "takes none now",
        away: "not connected",
        trusted: "you trust it",
      },
      ring: (ms: number) => `${ms} ms`,
    },

    table: {
      caption: "Computers in this network",
      computer: "Computer",
      connected: "Connected",
      delay: "Delay",
      accepting: "Takes work",
      trusted: "Trusted",
      yes: "Yes",
      no: "No",
      unmeasured: "-",
      trust: (id: string) => `Trust computer ${id}`,
      trustMeans: "A computer you trust may get the texts that you allow for “People I chose”.",
      filter: "Find a computer",
      noneFound: "No computer has this in its name.",
      more: (count: number) => `${count} more are not listed.`,
      details: (id: string) => `Details of computer ${id}`,
    },

    details: {
      heading: (id: string) => `Computer ${id}`,
      close: "Close",
      id: "Full name",
      addresses: "Addresses",
      version: "Version",
      kinds: "Can do",
      workers: "Workers",
      load: "Busy",
      done: "Done for you",
      failed: "Failed",
      unknown: "not known",
      loading: "Asking for the details",
    },

    invite: {
      make: "Invite somebody",
      label: "Invite link",
      help: (until: string) =>
        `Whoever has this link can join until ${until}. Send it only to people you want here.`,
      copy: "Copy",
      copied: "Copied",
      byHand: "Selected: press Ctrl+C",
    },

    leave: {
      open: "Leave this network",
      sure: "This computer then works alone. To come back you need an invite.",
      confirm: "Leave",
      keep: "Stay",
    },

    none: {
      heading: "Not in a network yet",
      meaning:
        "In a network, other computers can help with your work, and yours can help with theirs. Until then your own work runs here.",
      join: "Join with an invite",
      joinLabel: "Invite link",
      joinPlaceholder: "p2p-agent://invite/…",
      joinHelp: "Somebody in the network can make one for you.",
      joinAction: "Join",
      joinEmpty: "Paste an invite link first.",
      create: "Start a network",
      createLabel: "Name",
      createPlaceholder: "For example, our street",
      createEmpty: "Give it a name first.",
      createAction: "Start it",
      kind: "Who can be in it?",
      kinds: { closed: "People I invite", local: "Computers nearby", open: "Anyone" },
      kindMeanings: {
        closed: "Only people with an invite from you.",
        local: "Only computers on this local network, and they trust each other.",
        open: "Anybody may come, strangers too.",
      },
      nearby: (names: string) => `Found nearby: ${names}. Ask somebody there for an invite.`,
    },
  },

  /** What a refusal means for the person, and the one thing that mends it. Others show the daemon's words. */
  problems: {
    E1001: {
      title: "The node cannot be reached.",
      meaning: "Nothing was lost. Start the node, then try again.",
    },
    E1010: {
      title: "This computer cannot compute.",
      meaning: "A part of the app is missing. Install the app again to bring it back.",
    },
    E1012: {
      title: "The work could not be done.",
      meaning:
        "It stopped half-way, or could not begin. Your text is still here; it usually works the next time.",
    },
    E2003: { title: "The text is too long.", meaning: "Nothing was sent. Shorten it, or try a part of it." },
    E2006: {
      title: "No other computer took it.",
      meaning: "Your text was not computed. It can run on this computer now.",
    },
    E2007: { title: "The node restarted.", meaning: "Your text was not computed. It is still here." },
    E2008: { title: "It took too long.", meaning: "Nobody finished in time. Your text is still here." },
    E2009: { title: "Too many tasks are open.", meaning: "Wait until some have finished." },
    E2011: { title: "Cancelled.", meaning: "Your text was not computed. It is still here." },
    E3003: {
      title: "This invite cannot be used.",
      meaning: "It may be cut, changed or too old. Ask for a new one.",
    },
    E5001: { title: "There is no wallet outside a network.", meaning: "Join a network, or start one." },
    E5002: {
      title: "There are not enough credits.",
      meaning:
        "Nothing was sent. Let this computer work for others while you are away; the first credits come within a minute.",
    },
    E5003: {
      title: "A limit that you set is reached.",
      meaning: "Nothing was sent. A limit for a day ends with the day (UTC). Your text can run here.",
    },
    E5004: {
      title: "The network's notary cannot be reached.",
      meaning:
        "Nothing was sent. Credits move again when the notary's computer is on. Your text can run here.",
    },
    E5005: {
      title: "The wallet does not add up.",
      meaning: "Keep its folder as it is. “p2p-agent wallet verify” gives the details.",
    },
  } as Record<string, { title: string; meaning: string }>,
  problem: {
    again: "Try again",
    runHere: "Run it here",
    close: "Close",
    code: (code: string) => `Code ${code}`,
  },
};
