//! The schema's contracts as an [`Outline`], read from their syntax trees.
//!
//! Where the schema says `Dyn`, the form of a value is taken from `shapes.ncl`: records of fields whose values are
//! types; a list of types there means any of them.

use nickel_lang_core::ast::record::{FieldDef, Record};
use nickel_lang_core::ast::typ::{EnumRows, Type};
use nickel_lang_core::ast::{Ast, InputFormat, MergePriority, Node, StringChunk, primop::PrimOp};
use nickel_lang_core::cache::{CacheHub, SourcePath};
use nickel_lang_core::files::FileId;
use nickel_lang_core::typ::{EnumRowsF, RecordRowsF, TypeF};

use super::value;
use crate::answer::{self, Value};
use crate::schema;
use crate::shape::{Definition, Field, Outline, Presence, Shape};

/// Reads all files of the schema.
pub(crate) fn outline() -> Result<Outline, String> {
    let mut hub = CacheHub::new();
    let mut outline = Outline::new();
    for (name, text) in schema::FILES {
        let file = parsed(&mut hub, name, text)?;
        let ast = hub.split_asts().1.get(file).ok_or_else(|| format!("{name} has no syntax tree"))?;
        Reader { text }.definitions(ast, &mut outline)?;
    }
    let file = parsed(&mut hub, "shapes.ncl", schema::SHAPES)?;
    let ast = hub.split_asts().1.get(file).ok_or("shapes.ncl has no syntax tree")?;
    Reader { text: schema::SHAPES }.shapes(ast, &mut outline)?;
    Ok(outline)
}

fn parsed(hub: &mut CacheHub, name: &str, text: &str) -> Result<FileId, String> {
    let path = SourcePath::Path(format!("{}{name}", super::VIRTUAL_ROOT).into(), InputFormat::Nickel);
    let file = hub.sources.add_string(path, text.to_owned());
    hub.parse_to_ast(file).map_err(|errors| format!("{name}: {errors:?}"))?;
    Ok(file)
}

/// A value that is written out, without its place; `None` for any other expression.
pub(crate) fn literal(text: &str) -> Option<answer::Node> {
    let mut hub = CacheHub::new();
    let file = parsed(&mut hub, "literal.ncl", text).ok()?;
    of_literal(hub.split_asts().1.get(file)?)
}

fn of_literal(ast: &Ast<'_>) -> Option<answer::Node> {
    let value = match &ast.node {
        Node::Bool(value) => Value::Bool(*value),
        Node::Number(number) => value::number_value(&number.to_string()),
        Node::String(text) => Value::Text((*text).to_owned()),
        Node::StringChunks([]) => Value::Text(String::new()),
        Node::StringChunks([StringChunk::Literal(text)]) => Value::Text(text.clone()),
        Node::EnumVariant { tag, arg: None } => Value::Tag(tag.label().to_owned(), None),
        Node::Array(items) => Value::List(items.iter().map(of_literal).collect::<Option<_>>()?),
        Node::Record(record) if record.field_defs.is_empty() => Value::Record(Vec::new()),
        _ => return None,
    };
    Some(answer::Node { span: None, value })
}

/// Reads one file of the schema.
struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    /// The contracts a file gives: the fields of its last record, below bindings and merges.
    fn definitions(&self, ast: &Ast<'_>, outline: &mut Outline) -> Result<(), String> {
        match &ast.node {
            Node::Let { body, .. } => self.definitions(body, outline),
            Node::PrimOpApp { op: PrimOp::Merge(_), args } => {
                args.iter().try_for_each(|argument| self.definitions(argument, outline))
            }
            Node::Record(record) => {
                for field in record.field_defs {
                    let name = name(field)?;
                    let value = field.value.as_ref().ok_or_else(|| format!("{name} has no contract"))?;
                    let doc = doc(field);
                    outline.insert(name, Definition { doc, shape: self.of_term(value)? });
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Puts the forms of `shapes.ncl` where the schema says `Dyn`.
    fn shapes(&self, ast: &Ast<'_>, outline: &mut Outline) -> Result<(), String> {
        let Node::Record(definitions) = &ast.node else { return Err("shapes.ncl is no record".to_owned()) };
        for definition in definitions.field_defs {
            let of = name(definition)?;
            let Some(Node::Record(fields)) = definition.value.as_ref().map(|value| &value.node) else {
                return Err(format!("shapes.ncl: {of} is no record"));
            };
            let Some(Definition { shape: Shape::Record(known), .. }) = outline.get_mut(&of) else {
                return Err(format!("shapes.ncl: the schema has no {of}"));
            };
            for field in fields.field_defs {
                let name = name(field)?;
                let value = field.value.as_ref().ok_or_else(|| format!("shapes.ncl: {of}.{name} has no form"))?;
                let known = known.iter_mut().find(|known| known.name == name);
                known.ok_or_else(|| format!("shapes.ncl: {of} has no {name}"))?.shape = self.of_term(value)?;
            }
        }
        Ok(())
    }

    fn record(&self, record: &Record<'_>) -> Result<Shape, String> {
        record.field_defs.iter().map(|field| self.field(field)).collect::<Result<_, _>>().map(Shape::Record)
    }

    fn field(&self, field: &FieldDef<'_>) -> Result<Field, String> {
        let annotation = &field.metadata.annotation;
        let shape = match annotation.typ.iter().chain(annotation.contracts).next() {
            Some(written) => self.of_type(written)?,
            None => Shape::Anything,
        };
        let presence = match (&field.value, &field.metadata.priority) {
            (Some(value), MergePriority::Bottom) => Presence::Default(self.written(value)),
            _ if field.metadata.opt => Presence::Optional,
            _ => Presence::Required,
        };
        Ok(Field { name: name(field)?, doc: doc(field), shape, presence })
    }

    /// The form that a contract, written as a term, asks for.
    fn of_term(&self, ast: &Ast<'_>) -> Result<Shape, String> {
        match &ast.node {
            Node::Type(written) => self.of_type(written),
            Node::Record(record) => self.record(record),
            Node::Array(any) => any.iter().map(|one| self.of_term(one)).collect::<Result<_, _>>().map(Shape::Either),
            Node::Var(name) => Ok(Shape::Named(name.label().to_owned())),
            // A term such as `parts.Domain`.
            Node::PrimOpApp { op: PrimOp::RecordStatAccess(name), .. } => Ok(Shape::Named(name.label().to_owned())),
            _ => Err(format!("{:?} is no contract this code knows", self.written(ast))),
        }
    }

    fn of_type(&self, written: &Type<'_>) -> Result<Shape, String> {
        Ok(match &written.typ {
            TypeF::Dyn => Shape::Anything,
            TypeF::Number => Shape::Number,
            TypeF::Bool => Shape::Bool,
            TypeF::String => Shape::Text,
            TypeF::Array(inner) => Shape::List(Box::new(self.of_type(inner)?)),
            TypeF::Dict { type_fields, .. } => Shape::Map(Box::new(self.of_type(type_fields)?)),
            TypeF::Enum(rows) => Shape::Choice(self.tags(rows)?),
            TypeF::Contract(term) => self.of_term(term)?,
            TypeF::Record(rows) => {
                let mut fields = Vec::new();
                let mut rest = rows;
                while let RecordRowsF::Extend { row, tail } = &rest.0 {
                    let shape = self.of_type(row.typ)?;
                    let name = row.id.label().to_owned();
                    fields.push(Field { name, doc: String::new(), shape, presence: Presence::Required });
                    rest = tail;
                }
                Shape::Record(fields)
            }
            other => return Err(format!("{other:?} is no type this code knows")),
        })
    }

    fn tags(&self, rows: &EnumRows<'_>) -> Result<Vec<(String, Option<Shape>)>, String> {
        let mut tags = Vec::new();
        let mut rest = rows;
        while let EnumRowsF::Extend { row, tail } = &rest.0 {
            let argument = row.typ.map(|argument| self.of_type(argument)).transpose()?;
            tags.push((row.id.label().to_owned(), argument));
            rest = tail;
        }
        Ok(tags)
    }

    /// The text of a term, on one line, without a contract that is put on it for editors.
    fn written(&self, ast: &Ast<'_>) -> String {
        if let Node::Annotated { inner, .. } = &ast.node {
            return self.written(inner);
        }
        let range = ast.pos.into_opt().map(|span| span.start.to_usize()..span.end.to_usize());
        let text = range.and_then(|range| self.text.get(range)).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn name(field: &FieldDef<'_>) -> Result<String, String> {
    field.path_as_ident().map(|name| name.label().to_owned()).ok_or_else(|| "a field without a plain name".to_owned())
}

fn doc(field: &FieldDef<'_>) -> String {
    field.metadata.doc.unwrap_or_default().trim().to_owned()
}
