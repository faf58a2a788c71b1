use super::*;
use crate::CsvTexts;
use pierhead_model::{Enrolment, RoleName, Timestamp};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_000);

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn roster(people: &str, courses: &str, enrolments: &str) -> Roster {
    let texts = CsvTexts {
        people: format!("username,name,role,password_hash,active\n{people}"),
        courses: format!("course,title,term,zone\n{courses}"),
        enrolments: format!("course,username,role,group\n{enrolments}"),
    };
    texts.read().unwrap()
}

/// Carries out everything, as the records are read and written one by one.
fn carry_out(present: &mut Present, changes: &Changes, now: Timestamp) {
    for change in &changes.people {
        let fresh = (format!("id-{}", change.username), format!("epoch-{}", now.0));
        let next = change.carried_out(present.accounts.get(&change.username), fresh, now).unwrap();
        present.accounts.insert(change.username.clone(), next);
    }
    for change in &changes.courses {
        let next = match present.courses.get(&change.id) {
            Some(course) => change.carried_out(course),
            None => change.made(now),
        };
        present.courses.insert(change.id.clone(), next);
    }
    for change in &changes.enrolments {
        let id = change.course.clone().unwrap();
        let next = change.carried_out(&present.enrolments.get(&id).cloned().unwrap_or_default(), now);
        present.enrolments.insert(id, next);
    }
}

fn after(people: &str, courses: &str, enrolments: &str) -> Present {
    let mut present = Present::default();
    let changes = diff(&present, &roster(people, courses, enrolments));
    carry_out(&mut present, &changes, NOW);
    present
}

fn lines(changes: &Changes) -> Vec<String> {
    changes.lines().map(|(word, told)| format!("{word} {told}")).collect()
}

const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

#[test]
fn a_first_list_makes_everything_and_a_second_look_finds_nothing() {
    let people = format!("wang,Wang,teacher,,\nli,Li Lei,,{HASH},\nold,,,,0\n");
    let (courses, enrolments) = ("cs,Databases,2026,UTC\n", "cs,wang,teacher,\ncs,li,,A\n");
    let list = roster(&people, courses, enrolments);
    let mut present = Present::default();
    let changes = diff(&present, &list);
    assert_eq!(
        lines(&changes),
        [
            "add-person li, role=student, name=Li Lei, password=the school's",
            "add-person wang, role=teacher, name=Wang",
            "add-course cs, title=Databases, term=2026, zone=UTC, teachers=wang, assistants=",
            "enrol cs: li",
            "regroup cs: li in A",
        ]
    );
    changes.check(&present, &list).unwrap();
    carry_out(&mut present, &changes, NOW);
    let li = &present.accounts["li"];
    assert_eq!(
        (li.password_hash.as_str(), li.source, li.role().unwrap().0.as_str()),
        (HASH, Origin::Roster, "student")
    );
    assert!(present.courses["cs"].teachers.contains(&name("wang")) && present.enrolments["cs"].has(&name("li")));
    assert!(diff(&present, &list).is_empty());
}

#[test]
fn who_vanishes_is_suspended_and_comes_back_as_they_were() {
    let (people, courses, all) = ("a,,,,\nb,,,,\nc,,,,\nd,,,,\n", "cs,,,\n", "cs,a,,\ncs,b,,\ncs,c,,\ncs,d,,\n");
    let mut present = after(people, courses, all);
    let without = roster("a,,,,\nb,,,,\nc,,,,\n", courses, "cs,a,,\ncs,b,,\ncs,c,,\n");
    let changes = diff(&present, &without);
    assert_eq!(lines(&changes), ["suspend-person d", "leave cs: d"]);
    changes.check(&present, &without).unwrap();
    let epoch = present.accounts["d"].token_epoch.clone();
    carry_out(&mut present, &changes, Timestamp(2_000));
    let gone = &present.accounts["d"];
    assert!(gone.suspended_at.is_some() && gone.token_epoch != epoch, "their tokens are worth nothing for ever");
    assert!(!present.enrolments["cs"].has(&name("d")) && present.enrolments["cs"].students.contains_key("d"));
    assert!(diff(&present, &without).is_empty(), "once is enough");
    let back = diff(&present, &roster(people, courses, all));
    assert_eq!(lines(&back), ["change-person d, suspended=no longer", "enrol-again cs: d"]);
    carry_out(&mut present, &back, Timestamp(3_000));
    assert!(present.accounts["d"].suspended_at.is_none() && present.enrolments["cs"].has(&name("d")));
}

#[test]
fn whom_somebody_here_suspended_stays_so() {
    let list = roster("a,,,,\n", "cs,,,\n", "cs,a,,\n");
    let mut present = after("a,,,,\n", "cs,,,\n", "cs,a,,\n");
    present.accounts.get_mut(&name("a")).unwrap().suspended_at = Some(NOW);
    present.enrolments.get_mut("cs").unwrap().students.get_mut("a").unwrap().suspended = true;
    present.courses.get_mut("cs").unwrap().archived = true;
    assert!(diff(&present, &list).is_empty());
}

#[test]
fn accounts_and_courses_made_here_are_never_touched() {
    let mut present = after("a,,,,\n", "", "");
    let template = present.accounts["a"].clone();
    for (who, role, source) in
        [("admin", "admin", Origin::Here), ("ann", "student", Origin::Here), ("rose", "user", Origin::Roster)]
    {
        let account = Account { username: name(who), source, grants: Vec::new(), ..template.clone() };
        present.accounts.insert(name(who), account.with_role(RoleName(role.to_owned())));
    }
    let own = Course { source: Origin::Here, ..after("", "own,,,\n", "").courses["own"].clone() };
    present.courses.insert(own.id.clone(), own);
    let list = roster(
        &format!("a,,,,\nadmin,Evil,student,{HASH},\nann,Ann,teacher,,0\nrose,R,student,,0\n"),
        "own,Mine,,\n",
        "own,admin,teacher,\nown,a,,\n",
    );
    let changes = diff(&present, &list);
    assert!(changes.is_empty(), "{:?}", lines(&changes));
    assert_eq!(changes.kept, [name("admin"), name("ann"), name("rose")]);
    assert_eq!(changes.kept_courses.len(), 1);
    let vanished = diff(&present, &roster("a,,,,\n", "", ""));
    assert!(vanished.is_empty(), "nor when the list does not name them");
}

#[test]
fn passwords_are_taken_over_when_the_school_changes_them_only() {
    let mut present = after(&format!("li,,,{HASH},\n"), "", "");
    let upgraded = Account { password_hash: "$argon2id$ours".to_owned(), ..present.accounts["li"].clone() };
    present.accounts.insert(name("li"), upgraded);
    assert!(diff(&present, &roster(&format!("li,,,{HASH},\n"), "", "")).is_empty(), "ours stays");
    assert!(diff(&present, &roster("li,,,,\n", "", "")).is_empty(), "also if the list has none any more");
    let other = HASH.replace("CCCCCC", "DDDDDD");
    let changes = diff(&present, &roster(&format!("li,,,{other},\n"), "", ""));
    assert_eq!(lines(&changes), ["change-person li, password=the school's new one"]);
    let epoch = present.accounts["li"].token_epoch.clone();
    carry_out(&mut present, &changes, Timestamp(2_000));
    assert!(present.accounts["li"].password_hash == other && present.accounts["li"].token_epoch != epoch);
    let third = diff(&present, &roster(&format!("li,,,{},\n", HASH.replace("CCCCCC", "EEEEEE")), "", ""));
    assert_ne!(third.digest(), changes.digest(), "another hash is another change");
    assert!(!format!("{changes:?}").contains(&other));
}

#[test]
fn teachers_of_the_list_and_those_put_here_are_told_apart() {
    let people = "wang,,teacher,,\nzhao,,teacher,,\nhere,,teacher,,\n";
    let mut present = after(people, "cs,,,\n", "cs,wang,teacher,\n");
    present.courses.get_mut("cs").unwrap().teachers.insert(name("here"));
    let list = roster(people, "cs,,,\n", "cs,zhao,teacher,\ncs,wang,assistant,\n");
    let changes = diff(&present, &list);
    carry_out(&mut present, &changes, NOW);
    let course = &present.courses["cs"];
    assert_eq!(course.teachers, BTreeSet::from([name("here"), name("zhao")]));
    assert_eq!(course.assistants, BTreeSet::from([name("wang")]));
    assert!(diff(&present, &list).is_empty());
}

#[test]
fn groups_follow_the_list_where_it_has_any() {
    let people = "a,,,,\nb,,,,\n";
    let mut present = after(people, "cs,,,\n", "cs,a,,A\ncs,b,,A\n");
    let moved = diff(&present, &roster(people, "cs,,,\n", "cs,a,,B\ncs,b,,\n"));
    assert_eq!(lines(&moved), ["regroup cs: a in B", "regroup cs: b in no group"]);
    carry_out(&mut present, &moved, NOW);
    assert_eq!(present.enrolments["cs"].groups.keys().collect::<Vec<_>>(), ["B"]);
    let silent = CsvTexts {
        people: format!("username,name,role,password_hash,active\n{people}"),
        courses: "course\ncs\n".to_owned(),
        enrolments: "course,username\ncs,a\ncs,b\n".to_owned(),
    };
    assert!(diff(&present, &silent.read().unwrap()).is_empty(), "what it does not speak of stays");
}

#[test]
fn a_list_that_cannot_be_meant_is_refused() {
    let many: String = (0..9).map(|at| format!("s{at},,,,\n")).collect();
    let enrolled: String = (0..9).map(|at| format!("cs,s{at},,\n")).collect();
    let present = after(&many, "cs,,,\nop,,,\n", &enrolled);
    let check = |list: &Roster| diff(&present, list).check(&present, list).map_err(|excess| excess.to_string());
    let some = |people: usize, courses: &str, enrolments: usize| {
        let people: String = (0..people).map(|at| format!("s{at},,,,\n")).collect();
        let enrolments: String = (0..enrolments).map(|at| format!("cs,s{at},,\n")).collect();
        roster(&people, courses, &enrolments)
    };
    assert!(check(&some(6, "cs,,,\nop,,,\n", 6)).is_ok(), "a third may go");
    assert!(check(&some(5, "cs,,,\nop,,,\n", 5)).unwrap_err().starts_with("4 of 9 people would go"));
    assert!(check(&some(9, "cs,,,\n", 9)).unwrap_err().starts_with("1 of 2 courses would go"));
    assert!(check(&some(9, "cs,,,\nop,,,\n", 5)).unwrap_err().starts_with("4 of 9 enrolments would go"));
    assert_eq!(check(&some(0, "", 0)), Err(Excess::Empty.to_string()));
    let wrong = roster(&(many.clone() + &"x y,,,,\n".repeat(20)), "cs,,,\nop,,,\n", &enrolled);
    assert!(check(&wrong).unwrap_err().starts_with("20 of 40 rows"));
}

#[test]
fn of_whom_two_things_are_said_nothing_is_changed() {
    let mut present = after("li,Li,,,\n", "", "");
    let list = roster("li,Li,student,,\nli,Li,teacher,,\nwu,,,,\n", "", "");
    let changes = diff(&present, &list);
    assert_eq!(lines(&changes), ["add-person wu, role=student, name="]);
    carry_out(&mut present, &changes, NOW);
    assert!(present.accounts["li"].suspended_at.is_none());
}

/// Lists of a small school, of which some can't be used.
fn any_list() -> impl Strategy<Value = (String, String, String)> {
    let person = (0..12_u8, 0..3_u8, any::<bool>()).prop_map(|(who, role, active)| {
        let role = ["student", "teacher", "dean"][role as usize];
        format!("p{who},N{who},{role},,{}\n", u8::from(active))
    });
    let course = (0..4_u8, 0..2_u8).prop_map(|(course, title)| format!("c{course},T{title},,\n"));
    let enrolled = (0..4_u8, 0..12_u8, 0..3_u8, 0..3_u8).prop_map(|(course, who, role, group)| {
        format!(
            "c{course},p{who},{},{}\n",
            ["student", "assistant", "teacher"][role as usize],
            ["", "A", "B"][group as usize]
        )
    });
    let text = |rows: Vec<String>| rows.concat();
    (
        proptest::collection::vec(person, 0..20).prop_map(text),
        proptest::collection::vec(course, 0..6).prop_map(text),
        proptest::collection::vec(enrolled, 0..30).prop_map(text),
    )
}

proptest! {
    #[test]
    fn one_look_is_enough_and_nothing_is_ever_deleted(lists in proptest::collection::vec(any_list(), 1..5)) {
        let mut present = Present::default();
        present.enrolments.insert(CourseId::parse("c0").unwrap(), Enrolments {
            students: [(name("p1"), Enrolment { since: NOW, suspended: false, source: Origin::Here, unlisted: false })].into(),
            groups: BTreeMap::new(),
            recorded: [(name("p1"), NOW)].into(),
        });
        for (at, (people, courses, enrolments)) in lists.iter().enumerate() {
            let list = roster(people, courses, enrolments);
            let before = present.clone();
            let changes = diff(&present, &list);
            prop_assert_eq!(changes.digest(), diff(&present, &list).digest());
            carry_out(&mut present, &changes, Timestamp(at as u64 + 5));
            let again = diff(&present, &list);
            prop_assert!(again.is_empty(), "{:?}", lines(&again));
            prop_assert!(before.accounts.keys().all(|who| present.accounts.contains_key(who)));
            prop_assert!(before.courses.keys().all(|id| present.courses.contains_key(id)));
            for (id, was) in &before.enrolments {
                prop_assert!(was.students.keys().all(|who| present.enrolments[id].students.contains_key(who)));
                prop_assert_eq!(&present.enrolments[id].recorded, &was.recorded, "what they said stays");
            }
            prop_assert!(present.enrolments["c0"].students["p1"].is_active(), "put here, and stays");
        }
    }
}
