//! Work in courses.

use crate::describe::{Doc, Kind};
use pierhead_model::Permission::WriteAllContainers;
use pierhead_wire::{
    ExtensionRequest, GradeUpdate, GradebookRowView, ResultView, SubmissionView, WorkUpdate, WorkView, WorkspaceView,
};

const NO_COURSE: &str = "There is no such course or lab in it, or not for you";
const NO_STUDENT: &str = "There is no such course, lab or student, or not for you";
const NO_TEACHER: &str = "You are no teacher of the course";
const NO_STAFF: &str = "You don't give the course";
const MEANWHILE: &str = "Somebody changed the same thing meanwhile";

fn course(id: &'static str, summary: &'static str) -> Doc {
    Doc::new(id, summary)
        .path("id", "The course's id")
        .refuses(404, "not_found", NO_COURSE)
        .owners_or(WriteAllContainers)
}

fn of_lab(id: &'static str, summary: &'static str) -> Doc {
    course(id, summary).path("lab", "The lab")
}

fn of_student(id: &'static str, summary: &'static str) -> Doc {
    of_lab(id, summary).path("username", "The student's account").refuses(404, "not_found", NO_STUDENT)
}

pub fn list() -> Doc {
    course("list_work", "List the labs of a course with the work at them")
        .about(
            "When each is due, for everybody and for who asks, in UTC and in the course's zone; how it is graded; what the \
             asker handed in. Students see the labs that are open.",
        )
        .lists::<WorkView>("The labs, in the course's order")
}

pub fn change() -> Doc {
    of_lab("change_work", "Change when the work at a lab is due, and how it is graded")
        .about("What is not given stays. Results are published, and taken back, by this too.")
        .takes::<WorkUpdate>()
        .answers::<WorkView>(200, "The work as it is now")
        .refuses(403, "forbidden", NO_TEACHER)
        .refuses(409, "conflict", MEANWHILE)
}

pub fn extend() -> Doc {
    of_student("extend_work", "Give a student more time")
        .takes::<ExtensionRequest>()
        .answers::<WorkView>(200, "The work as it is now")
        .refuses(403, "forbidden", NO_TEACHER)
        .refuses(409, "conflict", MEANWHILE)
}

pub fn take_back() -> Doc {
    of_student("take_back_extension", "Take a student's extension back")
        .nothing("It is due for them as for everybody")
        .refuses(403, "forbidden", NO_TEACHER)
        .refuses(409, "conflict", MEANWHILE)
}

pub fn submit() -> Doc {
    of_lab("submit_work", "Hand in what one has done at a lab")
        .about(
            "The moment of the request is what counts. What came out so far is kept as it is; the workspace is saved as it \
             is at that moment and runs on; the checks are run on a copy of the save. While an earlier submission is under \
             way it is answered instead. The last complete one counts.",
        )
        .answers::<SubmissionView>(201, "It is written down, and carried out as soon as it can be")
        .once()
        .refuses(403, "forbidden", "You don't take the course")
        .refuses(409, "work_state", "It was not begun, or is late where that is refused")
}

pub fn submissions() -> Doc {
    course("list_submissions", "List what was handed in for a course")
        .about("Students see their own, and what came of checks once results are published.")
        .query("lab", Kind::Text, "For one lab only")
        .query("username", Kind::Text, "Of one student only")
        .lists::<SubmissionView>("The submissions, by labs, students and numbers")
}

pub fn retry() -> Doc {
    of_student("retry_submission", "Try a submission that failed once more")
        .about("When it was handed in stays what it was.")
        .answers::<SubmissionView>(200, "The submission as it is now")
        .refuses(403, "forbidden", NO_STAFF)
        .refuses(409, "work_state", "It did not fail")
}

pub fn open() -> Doc {
    of_student("open_submission", "Open a copy of what a student handed in")
        .about("It is a workspace of the asker's own; what was handed in stays as it is.")
        .answers::<WorkspaceView>(201, "It is written down, and made as soon as there is room")
        .once()
        .refuses(403, "forbidden", NO_STAFF)
        .refuses(409, "work_state", "Nothing of it was saved")
        .refuses(429, "too_many_workspaces", "You have as many as one can have")
        .refuses(429, "too_often", "You open workspaces too often")
}

pub fn grade() -> Doc {
    of_student("grade_work", "Give points and comments by hand")
        .about(
            "What is given counts instead of what comes of checks and questions, until it is taken back with `null`.",
        )
        .takes::<GradeUpdate>()
        .answers::<ResultView>(200, "What the work came to now")
        .refuses(403, "forbidden", NO_STAFF)
        .refuses(409, "conflict", MEANWHILE)
}

pub fn results() -> Doc {
    course("show_results", "Show what one's own work in a course came to")
        .about("Points and comments once the teacher has published them.")
        .lists::<ResultView>("The results, in the course's order")
}

pub fn gradebook() -> Doc {
    course("show_gradebook", "Show what everybody's work in a course came to")
        .lists::<GradebookRowView>("The students, by their accounts")
        .refuses(403, "forbidden", NO_STAFF)
}

pub fn export() -> Doc {
    course("export_grades", "Export the gradebook as a table")
        .about(
            "Comma-separated, UTF-8 with a mark, one row for each student. A cell that a spreadsheet would take for a \
             formula begins with an apostrophe.",
        )
        .answers_text("text/csv", "The table", "username,name,group,points,most\r\nclare,Clare Li,A,4.5,5\r\n")
        .refuses(403, "forbidden", NO_STAFF)
}
