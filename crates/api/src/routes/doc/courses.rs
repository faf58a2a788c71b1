//! Courses, who takes them, and the school's own list.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{
    CourseRequest, CourseUpdate, CourseView, EnrolRequest, LinkRequest, LinkView, RosterRequest, RosterStatusView,
    RosterView, StudentUpdate, StudentView,
};

const NO_COURSE: &str = "There is no such course, or not for you";
const MEANWHILE: &str = "Somebody changed the same thing meanwhile";
const NO_TEACHER: &str = "You are no teacher of the course";
const LISTED: &str = "The school's own list says otherwise; change it there";
const NO_ACCOUNT: &str = "There is no such course for you, or no such account or lab";

fn course(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The course's id")
        .refuses(404, "not_found", NO_COURSE)
        .owners_or(WriteAllContainers)
}

fn student(id: &'static str, summary: &'static str) -> Doc {
    course(id, summary)
        .path("username", "The student's account")
        .refuses(403, "forbidden", NO_TEACHER)
        .refuses(409, "conflict", MEANWHILE)
}

pub fn list() -> Doc {
    Doc::new("list_courses", "List the courses that one gives, helps in or takes")
        .about("An administrator's are all.")
        .lists::<CourseView>("The courses, by their ids")
}

pub fn add() -> Doc {
    Doc::new("add_course", "Make a course")
        .about(
            "Whoever makes it is its teacher, unless it names others. A lab comes into it by somebody who may let others \
             work through that lab.",
        )
        .takes::<CourseRequest>()
        .answers::<CourseView>(201, "It is there")
        .once()
        .refuses(404, "not_found", "There is no such account or lab, or not for you")
        .refuses(409, "exists", "There is one of that id")
        .refuses(429, "too_many_courses", "You have as many as one can have")
}

pub fn show() -> Doc {
    course("show_course", "Show a course").answers::<CourseView>(200, "The course")
}

pub fn change() -> Doc {
    course("change_course", "Change a course")
        .about("What is not given stays. Of a course on the school's own list, its title, term and staff on that list can't be changed.")
        .header("If-Match", Kind::Like("\"1204\""), "Only if it is still this revision: of lists all is given, and what somebody added meanwhile would go")
        .takes::<CourseUpdate>()
        .answers::<CourseView>(200, "The course as it is now")
        .refuses(403, "forbidden", NO_TEACHER)
        .refuses(404, "not_found", NO_ACCOUNT)
        .refuses(409, "from_roster", LISTED)
        .refuses(409, "conflict", MEANWHILE)
        .refuses(412, "changed_meanwhile", "It is another revision by now; nothing was changed")
}

pub fn delete() -> Doc {
    course("delete_course", "Forget a course, and who took it")
        .about("What its students did stays.")
        .nothing("It is forgotten")
        .refuses(403, "forbidden", NO_TEACHER)
        .refuses(409, "from_roster", LISTED)
        .refuses(409, "conflict", MEANWHILE)
}

pub fn list_students() -> Doc {
    course("list_students", "List who takes a course")
        .about("For those who give it.")
        .lists::<StudentView>("Everybody, also those who left")
        .refuses(403, "forbidden", "You do not give the course")
}

pub fn enrol() -> Doc {
    course("enrol_students", "Enrol people in a course")
        .about("All of them, or nobody if one of them can't be. Whoever had left takes it again.")
        .takes::<EnrolRequest>()
        .nothing("They take the course")
        .once()
        .refuses(403, "forbidden", NO_TEACHER)
        .refuses(404, "not_found", NO_ACCOUNT)
}

pub fn change_student() -> Doc {
    student("change_student", "Change how somebody is enrolled, or enrol them")
        .takes::<StudentUpdate>()
        .nothing("It is so")
        .refuses(404, "not_found", NO_ACCOUNT)
}

pub fn remove_student() -> Doc {
    student("remove_student", "Take somebody off a course")
        .about("What they did stays. Whom the school's own list enrolled can be suspended, and not taken off.")
        .nothing("They are off it")
        .refuses(409, "from_roster", LISTED)
}

pub fn link_student() -> Doc {
    student("give_student_link", "Make a link with which a student logs in once")
        .about("Only for students who may work through labs and nothing else. It is shown this once, and an event tells of it.")
        .takes::<LinkRequest>()
        .answers::<LinkView>(201, "The link")
        .refuses(403, "suspended", "The account is suspended")
}

pub fn show_roster() -> Doc {
    Doc::new("show_roster", "Show where the school's own list lies, and what came of the last look at it")
        .answers::<RosterStatusView>(200, "How it stands")
}

fn looks(doc: Doc) -> Doc {
    doc.takes::<RosterRequest>()
        .refuses(409, "no_roster", "The server knows no list, and none was sent")
        .refuses(422, "bad_roster", "The list is none: a column is missing or unknown, or it is no CSV")
        .refuses(429, "busy", "Somebody looks at the list already")
        .refuses(503, "roster_away", "The list can't be read, or ended on the way")
}

pub fn preview_roster() -> Doc {
    let doc = Doc::new("preview_roster", "Show what the school's own list would change")
        .about("Nothing is changed. `digest` names these changes: with `expect` a sync carries out these or none.")
        .answers::<RosterView>(200, "What would change");
    looks(doc)
}

pub fn sync_roster() -> Doc {
    let doc = Doc::new("sync_roster", "Carry out the school's own list")
        .about(
            "People and courses become as it says. Whoever it names no longer is suspended, never deleted; accounts and \
             courses that were made here stay as they are. If more than a third would go, or of the rows can't be used, \
             nothing is changed without `force`.",
        )
        .answers::<RosterView>(200, "What was changed")
        .refuses(409, "too_much", "So much would go that the list seems wrong")
        .refuses(409, "changed_meanwhile", "It is not what was expected any more");
    looks(doc)
}
