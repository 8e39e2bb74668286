//! Messages, dialogue portions and components appended to a buffer, in the shortest definite form.

use super::{ApplicationContext, Opcode};
use crate::ber::{Class, push, push_constructed, push_integer, universal};

/// 0.0.17.773.1.1.1: structured dialogue.
const DIALOGUE_AS: [u8; 7] = [0, 0x11, 0x86, 5, 1, 1, 1];

/// 0.4.0.0.1.1.1.1: map-DialogueAS.
const MAP_DIALOGUE: [u8; 7] = [4, 0, 0, 1, 1, 1, 1];

fn message(out: &mut Vec<u8>, number: u32, otid: Option<&[u8]>, dtid: Option<&[u8]>, dialogue: &[u8], components: &[u8]) {
    push_constructed(out, Class::Application, number, |out| {
        if let Some(otid) = otid {
            push(out, Class::Application, 8, otid);
        }
        if let Some(dtid) = dtid {
            push(out, Class::Application, 9, dtid);
        }
        out.extend_from_slice(dialogue);
        if !components.is_empty() {
            push_constructed(out, Class::Application, 12, |out| out.extend_from_slice(components));
        }
    });
}

/// Appends a Begin with a dialogue portion and components made by the functions beside; either may be empty.
pub fn push_begin(out: &mut Vec<u8>, otid: &[u8], dialogue: &[u8], components: &[u8]) {
    message(out, 2, Some(otid), None, dialogue, components);
}

/// Appends a Continue.
pub fn push_continue(out: &mut Vec<u8>, otid: &[u8], dtid: &[u8], dialogue: &[u8], components: &[u8]) {
    message(out, 5, Some(otid), Some(dtid), dialogue, components);
}

/// Appends an End.
pub fn push_end(out: &mut Vec<u8>, dtid: &[u8], dialogue: &[u8], components: &[u8]) {
    message(out, 4, None, Some(dtid), dialogue, components);
}

/// Appends a Unidirectional.
pub fn push_unidirectional(out: &mut Vec<u8>, dialogue: &[u8], components: &[u8]) {
    message(out, 1, None, None, dialogue, components);
}

/// Appends an Abort: by the provider with a cause, or by the user with a dialogue portion.
pub fn push_abort(out: &mut Vec<u8>, dtid: &[u8], p_abort: Option<u8>, dialogue: &[u8]) {
    push_constructed(out, Class::Application, 7, |out| {
        push(out, Class::Application, 9, dtid);
        if let Some(cause) = p_abort {
            push(out, Class::Application, 10, &[cause]);
        }
        out.extend_from_slice(dialogue);
    });
}

fn dialogue(out: &mut Vec<u8>, pdu: u32, fill: impl FnOnce(&mut Vec<u8>)) {
    push_constructed(out, Class::Application, 11, |out| {
        push_constructed(out, Class::Universal, universal::EXTERNAL, |out| {
            push(out, Class::Universal, universal::OBJECT_IDENTIFIER, &DIALOGUE_AS);
            push_constructed(out, Class::Context, 0, |out| push_constructed(out, Class::Application, pdu, fill));
        });
    });
}

fn version_and_context(out: &mut Vec<u8>, context: ApplicationContext) {
    push(out, Class::Context, 0, &[7, 0x80]); // version1
    push_constructed(out, Class::Context, 1, |out| {
        push(out, Class::Universal, universal::OBJECT_IDENTIFIER, &context.octets());
    });
}

/// Appends a dialogue portion with AARQ; `user_information` is empty or made by [`push_map_open`].
pub fn push_dialogue_request(out: &mut Vec<u8>, context: ApplicationContext, user_information: &[u8]) {
    dialogue(out, 0, |out| {
        version_and_context(out, context);
        out.extend_from_slice(user_information);
    });
}

/// Appends a dialogue portion with AARE: `result` 0 accepted, 1 rejected; `diagnostic` of the user, 2: context not supported.
pub fn push_dialogue_response(out: &mut Vec<u8>, context: ApplicationContext, result: u8, diagnostic: u8) {
    dialogue(out, 1, |out| {
        version_and_context(out, context);
        push_constructed(out, Class::Context, 2, |out| {
            push_integer(out, Class::Universal, universal::INTEGER, i64::from(result));
        });
        push_constructed(out, Class::Context, 3, |out| {
            push_constructed(out, Class::Context, 1, |out| {
                push_integer(out, Class::Universal, universal::INTEGER, i64::from(diagnostic));
            });
        });
    });
}

/// Appends user information with map-open; the references are octets of an AddressString.
pub fn push_map_open(out: &mut Vec<u8>, destination_reference: Option<&[u8]>, origination_reference: Option<&[u8]>) {
    push_constructed(out, Class::Context, 30, |out| {
        push_constructed(out, Class::Universal, universal::EXTERNAL, |out| {
            push(out, Class::Universal, universal::OBJECT_IDENTIFIER, &MAP_DIALOGUE);
            push_constructed(out, Class::Context, 0, |out| {
                push_constructed(out, Class::Context, 0, |out| {
                    for (number, reference) in [(0, destination_reference), (1, origination_reference)] {
                        if let Some(reference) = reference {
                            push(out, Class::Context, number, reference);
                        }
                    }
                });
            });
        });
    });
}

fn push_code(out: &mut Vec<u8>, code: Opcode<'_>) {
    match code {
        Opcode::Local(code) => push_integer(out, Class::Universal, universal::INTEGER, code),
        Opcode::Global(oid) => push(out, Class::Universal, universal::OBJECT_IDENTIFIER, oid),
    }
}

/// Appends an Invoke; `argument` is a whole element, or empty.
pub fn push_invoke(out: &mut Vec<u8>, invoke_id: i8, linked_id: Option<i8>, opcode: Opcode<'_>, argument: &[u8]) {
    push_constructed(out, Class::Context, 1, |out| {
        push_integer(out, Class::Universal, universal::INTEGER, i64::from(invoke_id));
        if let Some(linked_id) = linked_id {
            push_integer(out, Class::Context, 0, i64::from(linked_id));
        }
        push_code(out, opcode);
        out.extend_from_slice(argument);
    });
}

/// Appends a ReturnResultLast; `parameter` is a whole element, or empty for a result without one.
pub fn push_result(out: &mut Vec<u8>, invoke_id: i8, opcode: i64, parameter: &[u8]) {
    push_constructed(out, Class::Context, 2, |out| {
        push_integer(out, Class::Universal, universal::INTEGER, i64::from(invoke_id));
        if !parameter.is_empty() {
            push_constructed(out, Class::Universal, universal::SEQUENCE, |out| {
                push_code(out, Opcode::Local(opcode));
                out.extend_from_slice(parameter);
            });
        }
    });
}

/// Appends a ReturnError; `parameter` is a whole element, or empty.
pub fn push_return_error(out: &mut Vec<u8>, invoke_id: i8, code: i64, parameter: &[u8]) {
    push_constructed(out, Class::Context, 3, |out| {
        push_integer(out, Class::Universal, universal::INTEGER, i64::from(invoke_id));
        push_code(out, Opcode::Local(code));
        out.extend_from_slice(parameter);
    });
}
