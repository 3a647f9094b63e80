//! The engine's errors as exceptions, with the same texts.

use bartizan::Error;
use pyo3::PyErr;

mod exceptions {
    pyo3::import_exception!(bartizan._errors, Error);
    pyo3::import_exception!(bartizan._errors, InputError);
    pyo3::import_exception!(bartizan._errors, FileError);
}

/// The exception for an error.
pub fn raise(error: Error) -> PyErr {
    let text = error.to_string();
    match error {
        Error::Read { .. } | Error::Write { .. } | Error::Store { .. } | Error::Temporary { .. } => {
            exceptions::FileError::new_err(text)
        }
        Error::Threads { .. } => exceptions::Error::new_err(text),
        _ => exceptions::InputError::new_err(text),
    }
}

/// A setting that makes no sense.
pub fn senseless(name: &str, expected: &str, found: impl ToString) -> Error {
    Error::Setting { name: name.to_owned(), expected: expected.to_owned(), found: found.to_string() }
}

/// The exception for it.
pub fn refused(name: &str, expected: &str, found: impl ToString) -> PyErr {
    raise(senseless(name, expected, found))
}
