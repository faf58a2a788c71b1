use super::*;
use crate::CsvTexts;

fn read(people: &str, courses: &str, enrolments: &str) -> Roster {
    let texts = CsvTexts { people: people.to_owned(), courses: courses.to_owned(), enrolments: enrolments.to_owned() };
    texts.read().unwrap()
}

const COURSES: &str = "course,title,term,zone\ncs-101,Databases,2026-1,Asia/Shanghai\ncs-102,,,\n";

fn told(roster: &Roster) -> Vec<String> {
    roster.problems.iter().map(|problem| format!("{} {}: {}", problem.table, problem.row, problem.what)).collect()
}

#[test]
fn rows_become_people_courses_and_who_takes_them() {
    let hash = "$2y$04$abcdefghijklmnopqrstuuU1Q8hQ7Pz9b5b1mG2m0mCkX3cO1dWlK";
    let people = format!("username,name,role,password_hash,active\nwang,王老师,Teacher,,\nli,李雷,,{hash},no\n");
    let enrolments = "course,username,role,group\ncs-101,wang,teacher,\ncs-101,li,student,A\ncs-102,li,,A\n";
    let roster = read(&people, COURSES, enrolments);
    assert!(roster.problems.is_empty(), "{:?}", roster.problems);
    let [wang, li] = &roster.people[..] else { panic!("{roster:?}") };
    assert_eq!((wang.role, wang.active, wang.password.is_none()), (SchoolRole::Teacher, true, true));
    assert_eq!((li.role, li.active, li.full_name.as_str()), (SchoolRole::Student, false, "李雷"));
    assert!(li.password.is_some() && !format!("{roster:?}").contains(hash));
    assert_eq!(roster.courses[0].zone.as_ref().unwrap().as_str(), "Asia/Shanghai");
    assert_eq!((roster.courses[1].title.as_str(), &roster.courses[1].zone), ("cs-102", &None));
    assert_eq!((roster.enrolments.len(), roster.groups.len(), roster.has_groups, roster.rows), (3, 1, true, 7));
}

#[test]
fn what_cannot_be_used_is_told_and_stops_nobody() {
    let people = "username,role,active\nli,,\nli lei,,\n,,\nwu,dean,\nhan,,maybe\nzhao,student,1\n";
    let courses = "course,zone\ncs-101,Asia/Atlantis\ncs 9,\ncs-102,UTC\n";
    let enrolments = "course,username\ncs-102,li\ncs-101,li\ncs-102,nobody\ncs-102,zhao\n";
    let roster = read(people, courses, enrolments);
    let names: Vec<&str> = roster.people.iter().map(|person| person.username.as_str()).collect();
    assert_eq!((names, roster.enrolments.len(), roster.unusable), (vec!["li", "zhao"], 2, 8));
    let told = told(&roster);
    for (at, text) in [
        (0, "people 2: username \"li lei\" is none"),
        (1, "people 3: username is empty"),
        (2, "people 4: role \"dean\" is not student"),
        (3, "people 5: active \"maybe\""),
        (4, "courses 1: zone \"Asia/Atlantis\" is no time zone"),
        (5, "courses 2: course \"cs 9\" is none"),
        (6, "enrolments 2: course cs-101 is not among the courses"),
        (7, "enrolments 3: nobody is not among the people"),
    ] {
        assert!(told[at].starts_with(text), "{at}: {}", told[at]);
    }
}

#[test]
fn two_words_about_one_person_are_unclear() {
    let people = "username,name,role\nli,Li,student\nli,Li,student\nwu,Wu,student\nwu,Wu,teacher\n";
    let roster = read(people, COURSES, "course,username\n");
    assert_eq!((roster.people.len(), roster.unusable), (2, 1), "the same twice is one");
    assert_eq!(roster.unclear, [Username::parse("wu").unwrap()]);
    assert!(told(&roster)[0].contains("says something else of wu"), "{:?}", roster.problems);
}

#[test]
fn of_one_course_the_most_that_somebody_is_counts() {
    let people = "username\nli\nwu\n";
    let enrolments = "course,username,role\ncs-101,li,student\ncs-101,li,teacher\ncs-101,li,assistant\ncs-101,wu,\n";
    let roster = read(people, COURSES, enrolments);
    let roles: Vec<SchoolRole> = roster.enrolments.iter().map(|one| one.role).collect();
    assert_eq!(roles, [SchoolRole::Teacher, SchoolRole::Student]);
    assert!(!roster.has_groups);
}

#[test]
fn a_course_for_everybody_is_told_and_bounded() {
    use std::fmt::Write;
    let (mut people, mut enrolments) = ("username\n".to_owned(), "course,username\n".to_owned());
    for at in 0..Course::MOST_STUDENTS + 7 {
        writeln!(people, "s{at}").unwrap();
        writeln!(enrolments, "cs-101,s{at}").unwrap();
    }
    let roster = read(&people, COURSES, &enrolments);
    assert_eq!(roster.enrolments.len(), Course::MOST_STUDENTS);
    assert!(told(&roster)[0].contains("more than 5000 students; 7 are left out"), "{:?}", roster.problems);
}

#[test]
fn problems_are_counted_and_the_first_are_told() {
    let people = "username\n".to_owned() + &"not a name\n".repeat(500);
    let roster = read(&people, COURSES, "course,username\n");
    assert_eq!((roster.unusable, roster.problems.len()), (500, MOST_TOLD));
}
