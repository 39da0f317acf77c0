//! Text for people: lines, facts and aligned tables. Whatever comes in is cleaned first, because
//! some of it was written by strangers.

mod clean;

use p2p_control::api::Problem;

pub(crate) use clean::{clean, harmless_json};

/// What a piece of text means; the terminal decides how that looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tint {
    Plain,
    Strong,
    Faint,
    Good,
    Warn,
    Bad,
}

impl Tint {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Faint => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Warn => "\x1b[33m",
            Self::Bad => "\x1b[31m",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Page {
    text: String,
    colour: bool,
}

impl Page {
    pub(crate) const fn new(colour: bool) -> Self {
        Self { text: String::new(), colour }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn line(&mut self, text: &str) {
        self.tinted(Tint::Plain, text);
    }

    pub(crate) fn blank(&mut self) {
        self.text.push('\n');
    }

    pub(crate) fn tinted(&mut self, tint: Tint, text: &str) {
        self.piece(tint, &clean(text));
        self.text.push('\n');
    }

    /// `Error: what - why - what to do [code]`
    pub(crate) fn error(&mut self, problem: &Problem) {
        self.piece(Tint::Bad, "Error:");
        self.text.push(' ');
        self.text.push_str(&clean(&problem.to_string()));
        self.text.push('\n');
    }

    /// Names to the left, what they are to the right.
    pub(crate) fn facts(&mut self, facts: &[(&str, String)]) {
        let width = facts.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (name, value) in facts {
            self.piece(Tint::Faint, &format!("{name:<width$}"));
            self.text.push_str("  ");
            self.text.push_str(clean(value).trim_end());
            self.text.push('\n');
        }
    }

    pub(crate) fn table(&mut self, table: &Table) {
        let measures = table.measures();
        let header: Vec<Cell> = table.columns.iter().map(|name| Cell::tinted(Tint::Faint, name)).collect();
        for row in std::iter::once(&header).chain(&table.rows) {
            self.row(row, &measures);
        }
    }

    fn row(&mut self, cells: &[Cell], measures: &[Measure]) {
        let last = cells.iter().rposition(|cell| !cell.text.is_empty()).unwrap_or(0);
        for (at, cell) in cells.iter().enumerate().take(last + 1) {
            let (before, after) = measures[at].spaces(cell);
            self.text.push_str(&" ".repeat(before));
            self.piece(cell.tint, &cell.text);
            if at < last {
                self.text.push_str(&" ".repeat(after));
                self.text.push_str("  ");
            }
        }
        self.text.push('\n');
    }

    fn piece(&mut self, tint: Tint, text: &str) {
        let tinted = self.colour && tint != Tint::Plain && !text.is_empty();
        if tinted {
            self.text.push_str(tint.code());
        }
        self.text.push_str(text);
        if tinted {
            self.text.push_str("\x1b[0m");
        }
    }
}

/// One place of a table.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tint: Tint,
}

impl Cell {
    pub(crate) fn tinted(tint: Tint, text: &str) -> Self {
        Self { text: clean(text).trim().to_owned(), tint }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }

    /// How many places follow the last digit before the point.
    fn after_whole(&self) -> usize {
        self.text.find('.').map_or(0, |at| self.text[at..].chars().count())
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::tinted(Tint::Plain, text.as_ref())
    }
}

/// Rows under names. The last column may be as long as it likes.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<&'static str>,
    right: Vec<usize>,
    points: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(columns: &[&'static str]) -> Self {
        Self { columns: columns.to_vec(), right: Vec::new(), points: Vec::new(), rows: Vec::new() }
    }

    /// Columns of numbers, which line up on the right.
    pub(crate) fn right(mut self, columns: &[usize]) -> Self {
        self.right = columns.to_vec();
        self
    }

    /// Columns of numbers whose points stand under one another, those that have none too.
    pub(crate) fn points(mut self, columns: &[usize]) -> Self {
        self.points = columns.to_vec();
        self
    }

    /// Adds a row with one cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    fn measures(&self) -> Vec<Measure> {
        let most = |at: usize, measure: fn(&Cell) -> usize| {
            self.rows.iter().filter_map(|row| row.get(at)).map(measure).max().unwrap_or(0)
        };
        let column = |(at, name): (usize, &&str)| {
            let points = self.points.contains(&at);
            let after = if points { most(at, Cell::after_whole) } else { 0 };
            let wide =
                if points { most(at, |cell| cell.width() - cell.after_whole()) + after } else { most(at, Cell::width) };
            let right = points || self.right.contains(&at);
            Measure { width: name.chars().count().max(wide), right, points, after }
        };
        self.columns.iter().enumerate().map(column).collect()
    }
}

/// How one column of a table is filled.
#[derive(Debug)]
struct Measure {
    width: usize,
    right: bool,
    points: bool,
    /// What numbers have after their last whole digit, at most.
    after: usize,
}

impl Measure {
    /// How many spaces stand before a cell and after it.
    fn spaces(&self, cell: &Cell) -> (usize, usize) {
        let room = self.width.saturating_sub(cell.width());
        // The name of the column is no number.
        let after = if self.points && !cell.text.starts_with(char::is_alphabetic) {
            self.after - cell.after_whole()
        } else {
            0
        };
        if self.right { (room.saturating_sub(after), after.min(room)) } else { (0, room) }
    }
}

#[cfg(test)]
mod tests {
    use p2p_control::api::ErrorCode;

    use super::*;

    #[test]
    fn columns_line_up_and_numbers_stand_on_the_right() {
        let mut table = Table::new(&["PEER", "LATENCY", "STATE"]).right(&[1]);
        table.row(vec!["Kq8xWm3T".into(), "1.5 ms".into(), "connected".into()]);
        table.row(vec!["é".into(), "120 ms".into(), "away".into()]);
        table.row(vec!["x".into(), "-".into(), "".into()]);
        let mut page = Page::new(false);
        page.table(&table);
        let expected = "\
PEER      LATENCY  STATE
Kq8xWm3T   1.5 ms  connected
é          120 ms  away
x               -
";
        assert_eq!(page.text(), expected);
    }

    #[test]
    fn points_stand_under_one_another() {
        let mut table = Table::new(&["CREDITS", "STATE"]).points(&[0]);
        for (amount, state) in [("+1.33", "settled"), ("-5", "held"), ("-", ""), ("1,240.000001", "burnt"), ("", "x")] {
            table.row(vec![amount.into(), state.into()]);
        }
        let mut page = Page::new(false);
        page.table(&table);
        let expected = [
            "     CREDITS  STATE",
            "   +1.33      settled",
            "   -5         held",
            "    -",
            "1,240.000001  burnt",
            "              x",
        ];
        assert_eq!(page.text().lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn facts_line_up() {
        let mut page = Page::new(false);
        page.facts(&[("Node", "12D3".to_owned()), ("Listening", "nowhere".to_owned())]);
        assert_eq!(page.text(), "Node       12D3\nListening  nowhere\n");
    }

    #[test]
    fn colours_do_not_move_columns() {
        let drawn = |colour| {
            let mut table = Table::new(&["A", "B"]);
            table.row(vec![Cell::tinted(Tint::Good, "yes"), "x".into()]);
            let mut page = Page::new(colour);
            page.table(&table);
            page.text().to_owned()
        };
        let coloured = drawn(true);
        assert!(coloured.contains("\x1b[32myes\x1b[0m  x"), "{coloured:?}");
        let plain = [Tint::Faint, Tint::Good].iter().fold(coloured, |text, tint| text.replace(tint.code(), ""));
        assert_eq!(plain.replace("\x1b[0m", ""), drawn(false));
    }

    #[test]
    fn what_strangers_write_cannot_steer_the_terminal() {
        let mut page = Page::new(false);
        page.line("\x1b]0;owned\x07 \u{202e}txt\n\x1b[2J");
        let mut table = Table::new(&["A"]);
        table.row(vec!["a\r\nb\x1b[31m".into()]);
        page.table(&table);
        assert!(page.text().chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{:?}", page.text());
        assert_eq!(page.text().lines().count(), 3);
    }

    #[test]
    fn errors_say_what_why_and_what_to_do() {
        let mut page = Page::new(false);
        page.error(&Problem::new(ErrorCode::NotRunning, "Nobody listens on\n/x.sock"));
        let said = "Error: No daemon is running - Nobody listens on /x.sock - Start it with `p2p-agent up` [E1001]\n";
        assert_eq!(page.text(), said);
    }
}
