//! Courses, who takes them, and the school's own list.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{
    CourseRequest, CourseUpdate, CourseView, EnrolRequest, LinkRequest, LinkView, RosterRequest, RosterStatusView,
    RosterView, StudentUpdate, StudentView, UsageView,
};

const COURSES: [&str; 2] = ["api", "courses"];

impl Client {
    /// The courses that one gives, helps in or takes.
    ///
    /// # Errors
    /// [`ClientError`] if they cannot be had.
    pub async fn courses(&self) -> Result<Answer<Vec<CourseView>>, ClientError> {
        self.list(Call::get(&COURSES)).await
    }

    /// One course.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is none, or not for the asker.
    pub async fn course(&self, id: &str) -> Result<Answer<CourseView>, ClientError> {
        self.send(&Call::get(&["api", "courses", id])).await?.read()
    }

    /// Makes a course.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if there is one of that id.
    pub async fn add_course(&self, request: &CourseRequest) -> Result<Answer<CourseView>, ClientError> {
        self.change_at_once(Call::post(&COURSES).body(json(request)?)).await?.read()
    }

    /// Changes a course, if it is still the revision that is given; any without.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if one is no teacher of it, 412 if it is another revision by now.
    pub async fn set_course(
        &self,
        id: &str,
        change: &CourseUpdate,
        based_on: Option<u64>,
    ) -> Result<Answer<CourseView>, ClientError> {
        let call = Call::new(Method::PUT, &["api", "courses", id]).body(json(change)?);
        let call = match based_on {
            Some(revision) => call.header("If-Match", format!("\"{revision}\"")),
            None => call,
        };
        self.send(&call).await?.read()
    }

    /// Forgets a course.
    ///
    /// # Errors
    /// As [`Client::set_course`].
    pub async fn delete_course(&self, id: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "courses", id])).await.map(drop)
    }

    /// What workspaces used for a course: everybody's for those who give it, else one's own.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such course, or not for the asker.
    pub async fn course_usage(&self, course: &str) -> Result<Answer<Vec<UsageView>>, ClientError> {
        self.send(&Call::get(&["api", "courses", course, "usage"])).await?.read()
    }

    /// The same as a table for other programs.
    ///
    /// # Errors
    /// As [`Client::course_usage`].
    pub async fn export_course_usage(&self, course: &str) -> Result<String, ClientError> {
        Ok(self.send(&Call::get(&["api", "courses", course, "usage", "csv"])).await?.text())
    }

    /// What everybody's workspaces used.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if the asker may not manage accounts.
    pub async fn usage(&self) -> Result<Answer<Vec<UsageView>>, ClientError> {
        self.send(&Call::get(&["api", "usage"])).await?.read()
    }

    /// Who takes a course, for those who give it.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if one does not.
    pub async fn students(&self, course: &str) -> Result<Answer<Vec<StudentView>>, ClientError> {
        self.list(Call::get(&["api", "courses", course, "students"])).await
    }

    /// Enrols people: all of them or nobody.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if one has no account.
    pub async fn enrol(&self, course: &str, request: &EnrolRequest) -> Result<(), ClientError> {
        let call = Call::post(&["api", "courses", course, "students"]).body(json(request)?);
        self.change_at_once(call).await.map(drop)
    }

    /// Changes how somebody is enrolled.
    ///
    /// # Errors
    /// As [`Client::enrol`].
    pub async fn set_student(&self, course: &str, username: &str, change: &StudentUpdate) -> Result<(), ClientError> {
        let path = ["api", "courses", course, "students", username];
        self.send(&Call::new(Method::PUT, &path).body(json(change)?)).await.map(drop)
    }

    /// Takes somebody off a course.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if the school's own list enrolled them.
    pub async fn unenrol(&self, course: &str, username: &str) -> Result<(), ClientError> {
        self.send(&Call::delete(&["api", "courses", course, "students", username])).await.map(drop)
    }

    /// A link with which a student logs in once.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if they may more than students.
    pub async fn student_link(
        &self,
        course: &str,
        username: &str,
        request: &LinkRequest,
    ) -> Result<Answer<LinkView>, ClientError> {
        let path = ["api", "courses", course, "students", username, "link"];
        self.send(&Call::post(&path).body(json(request)?)).await?.read()
    }

    /// A link with which somebody logs in once, for who administers accounts.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if they may more than the asker.
    pub async fn account_link(&self, username: &str, request: &LinkRequest) -> Result<Answer<LinkView>, ClientError> {
        self.send(&Call::post(&["api", "account", username, "link"]).body(json(request)?)).await?.read()
    }

    /// Where the school's own list lies, and what came of the last look at it.
    ///
    /// # Errors
    /// [`ClientError`] if it cannot be had.
    pub async fn roster(&self) -> Result<Answer<RosterStatusView>, ClientError> {
        self.send(&Call::get(&["api", "roster"])).await?.read()
    }

    /// What the school's own list would change.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if there is none, or it can't be read.
    pub async fn preview_roster(&self, request: &RosterRequest) -> Result<Answer<RosterView>, ClientError> {
        self.send(&Call::post(&["api", "roster", "preview"]).body(json(request)?)).await?.read()
    }

    /// Carries out the school's own list.
    ///
    /// # Errors
    /// As [`Client::preview_roster`]; with status 409 if so much would go that it seems wrong.
    pub async fn sync_roster(&self, request: &RosterRequest) -> Result<Answer<RosterView>, ClientError> {
        self.send(&Call::post(&["api", "roster", "sync"]).body(json(request)?)).await?.read()
    }
}
