//! What fills the gaps of the templates: words and phrases written for this project.

/// The words for a gap, by its name. Numbers, prices and clocks are made, not listed.
pub(super) fn words(gap: &str) -> Option<&'static [&'static str]> {
    Some(match gap {
        "thing" => THING,
        "part" => PART,
        "good" => GOOD,
        "bad" => BAD,
        "soso" => SOSO,
        "very" => VERY,
        "when" => WHEN,
        "who" => WHO,
        "name" => NAME,
        "spot" => SPOT,
        "town" => TOWN,
        "dish" => DISH,
        "body" => BODY,
        "plan" => PLAN,
        "doing" => DOING,
        "praise" => PRAISE,
        "gripe" => GRIPE,
        "why" => WHY,
        "colour" => COLOUR,
        "noun" => NOUN,
        "day" => DAY,
        "month" => MONTH,
        _ => return None,
    })
}

/// What may stand before a sentence.
pub(super) const OPENERS: &[&str] = &[
    "Honestly,", "Well,", "Ok so", "Update:", "Quick one:", "To be fair,", "Hm,", "Right,", "Just saying,",
    "As I said,", "For what it is worth,", "Once again,", "Small thing, but", "In short,", "By the way,",
    "Funny enough,", "So far,", "I must say,", "Edit:", "Not sure who reads this, but", "Two weeks in,", "Seriously,",
    "All in all,", "Sadly,", "Happy to report:", "No joke,", "Between us,", "Same as before:", "From what I saw,",
    "Good to know:", "Yes,", "Oh,",
];

/// What may stand after a sentence.
pub(super) const CLOSERS: &[&str] = &[
    "Thanks!", "Thanks.", ":)", ":(", "That is all.", "More later.", "Just so you know.", "Make of it what you will.",
    "Never again.", "Would do it again.", "No idea why.", "We will see.", "Anyway.", "Fair enough.",
    "Not bad at all.", "What a day.", "Typical.", "Good stuff.", "Oh well.", "You have been warned.", "Lovely.",
    "Enough said.", "Cheers", "Hope that helps.", "Let me know.", "Ha.", "Two stars.", "Four stars.", "Five stars.",
    "Hm.", "Bit of a shame.", "No complaints.",
];

const THING: &[&str] = &[
    "kettle", "backpack", "desk lamp", "keyboard", "rain jacket", "toaster", "bike lock", "headset", "mattress",
    "coffee grinder", "tent", "phone case", "office chair", "blender", "drill", "pair of boots", "router",
    "water bottle", "suitcase", "vacuum cleaner", "notebook", "frying pan", "watch strap", "printer", "umbrella",
    "shelf", "fan heater", "monitor", "screwdriver set", "sleeping bag", "camera bag", "hair dryer", "doormat",
    "radio", "baby monitor", "lunch box", "rug", "bread maker", "garden hose", "charger", "speaker", "air pump",
    "wall clock", "raincoat", "yoga mat", "kitchen scale", "pillow", "torch", "ironing board", "power bank",
    "dash cam", "tripod", "blanket", "teapot", "mouse", "bench", "wok", "scarf", "microphone", "e-reader",
];
const PART: &[&str] = &[
    "handle", "battery", "zip", "lid", "sound", "packaging", "manual", "price", "finish", "colour", "cable", "size",
    "weight", "strap", "display", "app", "support", "delivery", "motor", "smell", "stitching", "fit", "button",
    "hinge", "switch", "grip", "filter", "base", "noise level", "material", "charging", "setup", "refund process",
    "wiring", "surface", "lining", "warranty", "frame", "connection", "timer",
];
const GOOD: &[&str] = &[
    "great", "lovely", "solid", "excellent", "better than expected", "brilliant", "really useful", "a pleasure",
    "spot on", "superb", "perfect for us", "well made", "delightful", "impressive", "fantastic", "worth every cent",
    "a joy to use", "wonderful", "reliable", "beautifully simple", "a nice surprise", "first class", "quick and easy",
    "charming", "exactly right", "top notch", "comfortable", "very handy", "amazing",
    "so much better than the old one", "clever", "a bargain", "flawless", "rock solid", "just what I hoped for",
    "outstanding", "fun", "neat", "a hit", "fresh and bright",
];
const BAD: &[&str] = &[
    "awful", "useless", "disappointing", "broken", "a waste of money", "terrible", "cheap and flimsy", "far too loud",
    "a mess", "worse than the old one", "a joke", "ridiculous", "poor", "faulty", "unacceptable", "sloppy",
    "dreadful", "annoying", "a real letdown", "badly made", "horrible", "not what was promised", "overpriced",
    "a nightmare", "completely wrong", "boring", "frustrating", "rude", "cold and bland", "dirty", "painfully slow",
    "unsafe", "ugly", "misleading", "nothing but trouble", "a headache", "unreliable", "scratched", "leaking",
    "hopeless",
];
const SOSO: &[&str] = &[
    "fine", "okay", "average", "nothing special", "acceptable", "as described", "neither good nor bad", "a bit plain",
    "what you would expect", "usable", "decent for the price", "middling", "alright", "so-so", "passable", "ordinary",
    "good enough", "a matter of taste", "not my style", "the usual", "mixed", "fair", "unremarkable", "standard",
    "hard to judge yet",
];
const VERY: &[&str] = &[
    "really", "quite", "just", "honestly", "simply", "absolutely", "truly", "pretty much", "still", "frankly",
    "definitely", "actually", "surprisingly", "somehow", "clearly", "always",
];
const WHEN: &[&str] = &[
    "yesterday", "this morning", "last week", "on Monday", "two days ago", "last night", "in the spring",
    "over lunch", "after the holidays", "at the weekend", "earlier today", "last month", "around noon", "before work",
    "on Friday", "in the evening", "a while ago", "during the storm", "just now", "on the way home", "last summer",
    "at midnight", "on our anniversary", "right after breakfast", "in the first week", "over the winter",
    "on Tuesday", "late at night", "the other day", "a year ago", "twice this week", "on my day off",
];
const WHO: &[&str] = &[
    "my sister", "our neighbour", "the landlord", "my boss", "a friend", "the driver", "my dad", "the nurse",
    "our coach", "the guy at the desk", "my cousin", "the new intern", "her teacher", "the plumber", "my roommate",
    "the vet", "grandma", "the whole team", "his brother", "the receptionist", "our guide", "the waiter", "my wife",
    "my husband", "the mechanic", "a colleague", "the kids", "the baker", "my uncle", "the dentist", "their manager",
    "the postman",
];
const NAME: &[&str] = &[
    "Anna", "Ben", "Carla", "David", "Elif", "Femi", "Greta", "Hugo", "Ines", "Jonas", "Kemal", "Lena", "Marek",
    "Nadia", "Olaf", "Priya", "Quinn", "Rosa", "Sam", "Tanja", "Umar", "Vera", "Wes", "Xenia", "Yusuf", "Zoe", "Amir",
    "Bianca", "Chen", "Dora", "Emil", "Fatima", "Gus", "Hana", "Ivan", "Julia", "Karim", "Lucy", "Milo", "Nora",
    "Oscar", "Petra", "Rafael", "Sofia", "Tom", "Ursula", "Viktor", "Wanda", "Yara", "Zach", "Alba", "Boris", "Cleo",
    "Dmitri", "Esther", "Finn", "Gloria", "Hamid", "Iris", "Jorge",
];
const SPOT: &[&str] = &[
    "the corner cafe", "the library", "the new gym", "that little hotel", "the station kiosk", "the garden centre",
    "the old cinema", "the bakery on the hill", "the swimming pool", "the airport lounge", "the campsite",
    "the market", "the noodle bar", "the bookshop", "the repair shop", "the clinic", "the museum",
    "the ferry terminal", "the hostel", "the pizza place", "the barber", "the furniture store", "the school canteen",
    "the beach bar", "the car wash", "the theatre", "the pharmacy", "the climbing hall", "the hardware store",
    "the tea house", "the guest house", "the food truck", "the playground", "the dry cleaner", "the record shop",
    "the wine bar",
];
const TOWN: &[&str] = &[
    "Leeds", "Porto", "Graz", "Lyon", "Bergen", "Utrecht", "Bilbao", "Tampere", "Cork", "Gdansk", "Basel", "Aarhus",
    "Ghent", "Turin", "Malmo", "Brno", "Split", "Varna", "Tartu", "Halifax", "Denver", "Austin", "Quito", "Lima",
    "Perth", "Cairns", "Nairobi", "Accra", "Pune", "Kochi", "Osaka", "Busan", "Hanoi", "Izmir", "Haifa", "Tunis",
    "Cardiff", "Dundee", "Bristol", "Galway", "Kiel", "Ulm", "Linz", "Nantes", "Lille", "Siena", "Riga", "Vilnius",
    "Salem", "Boise",
];
const DISH: &[&str] = &[
    "lentil soup", "fish tacos", "mushroom risotto", "apple pie", "fried rice", "pumpkin curry", "cheese toast",
    "tomato salad", "beef stew", "veggie burger", "pancakes", "garlic bread", "iced coffee", "grilled salmon",
    "chocolate cake", "dumplings", "falafel wrap", "onion rings", "breakfast menu", "house wine", "ramen", "paella",
    "potato gratin", "lemon tart", "goulash", "club sandwich", "chicken wings", "green tea", "spring rolls",
    "ice cream", "waffles", "meatballs", "bean chili", "croissants", "lasagne", "porridge",
];
const BODY: &[&str] = &[
    "the city council", "the transport ministry", "the local hospital", "the school board", "the weather service",
    "the football club", "the water company", "the university", "the harbour authority", "the national bank",
    "the rail operator", "the police", "the farmers' union", "the energy regulator", "the county court",
    "the museum trust", "the airline", "the fire brigade", "the tourism board", "the car maker", "the post office",
    "the food agency", "the housing office", "the mayor", "the teachers' union", "the city zoo", "a research group",
    "the chip maker", "the election office", "the health insurer",
];
const PLAN: &[&str] = &[
    "a new bus line", "longer opening hours", "a repair of the old bridge", "cheaper day tickets",
    "a ban on fireworks", "a second runway", "free lunches", "a solar park", "a review of its fees",
    "the sale of two buildings", "a cycle path along the river", "night trains", "a recall of heaters", "a pay rise",
    "a cut of staff", "an upgrade of the pumps", "stricter speed limits", "a music festival",
    "the closure of a clinic", "a flood barrier", "a test of driverless trams", "a new stadium",
    "an inquiry into the accident", "a hiring freeze", "tree planting", "a tax on empty flats",
    "a water saving scheme", "the return of the ferry", "more places in day care", "a merger with its rival",
    "an early warning system", "a digital ticket", "the clean-up of the beach", "a delay of the project",
    "lower prices for students", "a public vote",
];
const DOING: &[&str] = &[
    "clean the garage", "call the insurance", "book the train", "water the plants", "send the invoice", "fix the tap",
    "pick up the parcel", "feed the cat", "print the tickets", "return the books", "charge the car",
    "paint the fence", "pack for the trip", "update the slides", "buy bread", "renew the passport",
    "order new filters", "bake for the party", "sign the form", "walk the dog", "check the tyres",
    "answer the survey", "move the meeting", "back up the photos", "cancel the trial", "sharpen the knives",
    "measure the window", "thank the neighbours", "sort the receipts", "ask for the key", "collect the shoes",
    "top up the bus card", "write the report", "hang the pictures",
];
const PRAISE: &[&str] = &[
    "I would buy it again", "I could not be happier", "it made my week", "we were smiling all the way home",
    "I told everybody about it", "it was worth the wait", "we will be back", "my expectations were exceeded",
    "it works like a charm", "I love it", "everybody was so kind", "nothing to complain about", "it saved us hours",
    "thank you for the quick help", "highly recommended", "it still looks new", "the best choice in years",
    "what a lovely team", "it runs without a hitch", "I was impressed", "it feels like a gift", "great value",
    "we had a wonderful time", "I am glad I tried it",
];
const GRIPE: &[&str] = &[
    "I want my money back", "it stopped working", "nobody answered my mails", "I would not buy it again",
    "we left early", "it ruined the evening", "I have never been so bored", "it fell apart", "avoid it",
    "the wait was endless", "I regret it", "they did not even say sorry", "it is going straight back",
    "it made everything worse", "I am very disappointed", "we felt cheated", "it was a waste of time",
    "they lost my order", "I had to do it all myself", "it hurts to look at", "the worst in years",
    "it gave me a headache", "we were ignored", "I expected more",
];
const WHY: &[&str] = &[
    "because it was raining", "since the lift was out", "as nobody was in", "because of the strike", "to save time",
    "because the kids were ill", "as usual", "for a change", "because we were late", "for the third time",
    "since I had a voucher", "out of curiosity", "because the old one broke", "as a present", "for the office",
    "because a friend said so", "without much hope", "on a whim", "because it was on sale", "by accident",
    "after a long search", "for our holiday", "because of the reviews", "instead of cooking", "with low expectations",
    "for my mother", "because it was close", "to try it out",
];
const COLOUR: &[&str] = &[
    "silent", "crimson", "last", "broken", "golden", "hidden", "paper", "winter", "borrowed", "second", "lonely",
    "electric", "salt", "hollow", "northern", "velvet", "burning", "forgotten", "little", "crooked", "glass",
    "distant", "restless", "blue", "iron", "wild", "seventh", "quiet", "tangled", "open",
];
const NOUN: &[&str] = &[
    "harbour", "orchard", "letter", "machine", "river", "kingdom", "garden", "station", "promise", "mirror", "island",
    "shadow", "engine", "hour", "witness", "lantern", "road", "summer", "fox", "daughter", "bridge", "signal",
    "house", "sparrow", "tide", "map", "winter", "clock", "theory", "door", "mountain", "stranger", "circus",
    "ledger", "comet", "winterland",
];
const DAY: &[&str] = &[
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
];
const MONTH: &[&str] = &[
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
];
