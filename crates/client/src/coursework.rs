//! Work in courses.

use crate::change::json;
use crate::transport::Call;
use crate::{Answer, Client, ClientError};
use hyper::Method;
use pierhead_wire::{
    ExtensionRequest, GradeUpdate, GradebookRowView, ResultView, SubmissionView, WorkUpdate, WorkView, WorkspaceView,
};

impl Client {
    /// The labs of a course with the work at them, in its order.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such course, or not for the asker.
    pub async fn course_work(&self, course: &str) -> Result<Answer<Vec<WorkView>>, ClientError> {
        self.send(&Call::get(&["api", "courses", course, "work"])).await?.read()
    }

    /// Changes when the work at a lab is due, and how it is graded.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if there is no such lab or the asker does not teach the course.
    pub async fn change_work(
        &self,
        course: &str,
        lab: &str,
        update: &WorkUpdate,
    ) -> Result<Answer<WorkView>, ClientError> {
        let call = Call::new(Method::PUT, &["api", "courses", course, "work", lab]).body(json(update)?);
        self.change_at_once(call).await?.read()
    }

    /// Gives a student more time, or (`None`) takes that back.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if there is no such lab or student, or the asker does not teach the course.
    pub async fn extend_work(
        &self,
        course: &str,
        lab: &str,
        username: &str,
        due: Option<&str>,
    ) -> Result<(), ClientError> {
        let path = ["api", "courses", course, "work", lab, "extensions", username];
        let call = match due {
            Some(due) => Call::new(Method::PUT, &path).body(json(&ExtensionRequest { due: due.to_owned() })?),
            None => Call::delete(&path),
        };
        self.change_at_once(call).await.map(drop)
    }

    /// Hands in what the asker has done at a lab.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if it was not begun, or is late where that is refused.
    pub async fn submit_work(&self, course: &str, lab: &str) -> Result<Answer<SubmissionView>, ClientError> {
        let call = Call::post(&["api", "courses", course, "work", lab, "submissions"]);
        self.change_at_once(call).await?.read()
    }

    /// What was handed in for a course, for one lab or of one student if they are named.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such course, or not for the asker.
    pub async fn submissions(
        &self,
        course: &str,
        lab: Option<&str>,
        username: Option<&str>,
    ) -> Result<Answer<Vec<SubmissionView>>, ClientError> {
        let call = Call::get(&["api", "courses", course, "submissions"]);
        let call = lab.into_iter().fold(call, |call, lab| call.query("lab", lab));
        let call = username.into_iter().fold(call, |call, username| call.query("username", username));
        self.send(&call).await?.read()
    }

    /// Tries a submission that failed once more.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if it did not fail.
    pub async fn retry_submission(
        &self,
        course: &str,
        lab: &str,
        username: &str,
    ) -> Result<Answer<SubmissionView>, ClientError> {
        let path = ["api", "courses", course, "submissions", lab, username, "retry"];
        self.change_at_once(Call::post(&path)).await?.read()
    }

    /// Opens a copy of what a student handed in, as a workspace of the asker's own.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 409 if nothing of it was saved.
    pub async fn open_submission(
        &self,
        course: &str,
        lab: &str,
        username: &str,
    ) -> Result<Answer<WorkspaceView>, ClientError> {
        let path = ["api", "courses", course, "submissions", lab, username, "workspace"];
        self.change_at_once(Call::post(&path)).await?.read()
    }

    /// Gives points and comments by hand.
    ///
    /// # Errors
    /// [`ClientError::Refused`] if there is no such student or criterion, or the asker does not give the course.
    pub async fn grade_work(
        &self,
        course: &str,
        lab: &str,
        username: &str,
        update: &GradeUpdate,
    ) -> Result<Answer<ResultView>, ClientError> {
        let call = Call::new(Method::PUT, &["api", "courses", course, "grades", lab, username]).body(json(update)?);
        self.change_at_once(call).await?.read()
    }

    /// What the asker's own work in a course came to.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 404 if there is no such course, or not for the asker.
    pub async fn course_results(&self, course: &str) -> Result<Answer<Vec<ResultView>>, ClientError> {
        self.send(&Call::get(&["api", "courses", course, "results"])).await?.read()
    }

    /// What everybody's work in a course came to.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if the asker does not give the course.
    pub async fn gradebook(&self, course: &str) -> Result<Answer<Vec<GradebookRowView>>, ClientError> {
        self.send(&Call::get(&["api", "courses", course, "grades"])).await?.read()
    }

    /// The same as a table for other programs.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with status 403 if the asker does not give the course.
    pub async fn export_grades(&self, course: &str) -> Result<String, ClientError> {
        Ok(self.send(&Call::get(&["api", "courses", course, "grades", "csv"])).await?.text())
    }
}
