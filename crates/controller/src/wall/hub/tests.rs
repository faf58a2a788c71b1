use super::*;
use pierhead_terminal::PictureRun;

fn id(text: &str) -> TerminalId {
    TerminalId::parse(text).unwrap()
}

fn host(name: &str) -> Home {
    Home::Agent(EngineId::parse(name).unwrap())
}

fn picture(lines: &[&str]) -> Picture {
    let line = |text: &&str| match *text {
        "" => Vec::new(),
        text => vec![PictureRun { text: text.to_owned(), ..PictureRun::default() }],
    };
    Picture { columns: 80, rows: 3, cursor: None, lines: lines.iter().map(line).collect() }
}

/// A home that paints what it is told to.
#[derive(Default)]
struct Painter {
    before: BTreeMap<String, Picture>,
}

impl Painter {
    fn paint(&mut self, hub: &Hub, home: &Home, terminal: &str, lines: &[&str]) {
        let now = picture(lines);
        let change = now.change(terminal, self.before.get(terminal)).unwrap();
        hub.paint(home, &[change]);
        self.before.insert(terminal.to_owned(), now);
    }
}

/// Somebody's wall, and what they see by what they were told.
struct Wall {
    pictures: WallPictures,
    seen: BTreeMap<String, Picture>,
}

impl Wall {
    fn new(hub: &Hub, shown: &[(&str, &Home)]) -> Self {
        let mut wall = Self { pictures: hub.wall(), seen: BTreeMap::new() };
        wall.show(shown);
        wall
    }

    fn show(&mut self, shown: &[(&str, &Home)]) {
        let shown = shown.iter().map(|(terminal, home)| (id(terminal), (*home).clone())).collect();
        self.pictures.show(&shown);
    }

    /// Takes what is new; gives how many rows that were.
    fn take(&mut self) -> usize {
        let changes = self.pictures.take();
        for change in changes.iter().filter(|change| !change.over) {
            self.seen.entry(change.terminal.clone()).or_default().apply(change);
        }
        changes.iter().map(|change| change.lines.len()).sum()
    }
}

fn wanted(hub: &Hub, home: &Home) -> Vec<String> {
    let homes = hub.homes();
    let of_home = homes.iter().find(|(one, _)| one == home);
    of_home.map_or_else(Vec::new, |(_, wanted)| wanted.borrow().keys().cloned().collect())
}

#[test]
fn a_home_is_asked_once_for_what_any_wall_shows() {
    let (hub, one, two) = (Hub::new(), host("h1"), host("h2"));
    let mut first = Wall::new(&hub, &[("a", &one), ("b", &two)]);
    let second = Wall::new(&hub, &[("a", &one), ("c", &one)]);
    assert_eq!(hub.homes().len(), 2);
    assert_eq!((wanted(&hub, &one), wanted(&hub, &two)), (vec!["a".into(), "c".into()], vec!["b".into()]));
    drop(second);
    assert_eq!(wanted(&hub, &one), ["a"], "the other wall still shows it");
    first.show(&[("b", &two)]);
    assert_eq!(hub.homes().len(), 1, "nothing of that host is looked at any more");
    drop(first);
    assert!(hub.homes().is_empty());
    assert!(hub.shown().tiles.is_empty(), "nothing is kept for nobody");
}

#[test]
fn each_wall_is_told_what_it_lacks_and_no_more() {
    let (hub, home) = (Hub::new(), host("h1"));
    let (mut quick, mut painter) = (Wall::new(&hub, &[("a", &home)]), Painter::default());
    painter.paint(&hub, &home, "a", &["one", "two", ""]);
    assert_eq!(quick.take(), 2);
    let mut slow = Wall::new(&hub, &[("a", &home)]);
    assert_eq!(slow.take(), 2, "what is there is there at once for who comes later");
    for count in 0..50 {
        painter.paint(&hub, &home, "a", &["one", &format!("two {count}"), ""]);
        assert_eq!(quick.take(), 1, "the row that changed");
    }
    assert_eq!(slow.take(), 1, "who was slow lacks a row, not fifty");
    assert_eq!(quick.seen, slow.seen);
    assert_eq!(quick.seen["a"], picture(&["one", "two 49", ""]));
    assert_eq!((quick.take(), slow.take()), (0, 0));
}

#[test]
fn a_screen_that_shrinks_or_begins_anew_is_told_as_a_whole() {
    let (hub, home) = (Hub::new(), host("h1"));
    let (mut wall, mut painter) = (Wall::new(&hub, &[("a", &home)]), Painter::default());
    painter.paint(&hub, &home, "a", &["one", "two", "three"]);
    wall.take();
    painter.paint(&hub, &home, "a", &["one"]);
    painter.paint(&hub, &home, "a", &["uno"]);
    wall.take();
    assert_eq!(wall.seen["a"], picture(&["uno"]));
    // The home was away, and knows nothing of what it told.
    let mut painter = Painter::default();
    painter.paint(&hub, &home, "a", &["", "dos"]);
    wall.take();
    assert_eq!(wall.seen["a"], picture(&["", "dos"]));
}

#[test]
fn whoever_looks_again_sees_what_is_there_now() {
    let (hub, home) = (Hub::new(), host("h1"));
    let (mut wall, mut painter) = (Wall::new(&hub, &[("a", &home)]), Painter::default());
    painter.paint(&hub, &home, "a", &["one"]);
    wall.take();
    let number = |hub: &Hub| *hub.homes()[0].1.borrow().get("a").unwrap();
    let before = number(&hub);
    wall.show(&[]);
    wall.show(&[("a", &home)]);
    assert_ne!(number(&hub), before, "the home must know that what it told is forgotten");
    let elsewhere = host("h2");
    painter.paint(&hub, &elsewhere, "a", &["forged"]);
    assert_eq!(wall.take(), 0, "nothing is taken from a host that it does not live on");
    hub.paint(&home, &[PictureChange::over("a"), PictureChange::over("stranger")]);
    let told = wall.pictures.take();
    assert_eq!(told, [PictureChange::over("a")]);
}

#[test]
fn somebody_looks_at_so_many_walls_and_no_more() {
    let hub = Hub::new();
    let (tina, tom) = (Username::parse("tina").unwrap(), Username::parse("tom").unwrap());
    let mut walls: Vec<_> = (0..MOST_WALLS_OF_ONE).map(|_| hub.wall_of(&tina).unwrap()).collect();
    assert!(hub.wall_of(&tina).is_none() && hub.wall_of(&tom).is_some());
    walls.pop();
    assert!(hub.wall_of(&tina).is_some());
}

#[test]
fn no_wall_shows_more_than_it_may() {
    let (hub, home) = (Hub::new(), Home::Here);
    let mut pictures = hub.wall();
    let many = (0..1000).map(|at| (id(&format!("t-{at}")), home.clone())).collect();
    pictures.show(&many);
    assert_eq!(wanted(&hub, &home).len(), MOST_SHOWN);
    let mut other = hub.wall();
    let others = (0..200).map(|at| (id(&format!("u-{at}")), home.clone())).collect();
    other.show(&others);
    let mut third = hub.wall();
    third.show(&(0..200).map(|at| (id(&format!("v-{at}")), home.clone())).collect());
    assert_eq!(wanted(&hub, &home).len(), MOST_OF_A_HOME, "of one home");
}
