/**
 * What a file imports and exports, as queries over tree-sitter's trees: ES modules and CommonJS.
 * A pattern's own names are exports, those of patterns within it are left out: a query has no recursion.
 */
export const LINKS = `
  [(import_statement source: (string) @import) (export_statement source: (string) @import)]
  (call_expression function: (_) @_callee arguments: (arguments . (string) @import)
    (#any-of? @_callee "import" "require" "require.resolve"))

  (export_statement "default" @default)
  (export_statement "*" @export)
  (export_statement (namespace_export (_) @export))
  (export_statement (export_clause (export_specifier !alias name: _ @export)))
  (export_statement (export_clause (export_specifier alias: _ @export)))
  (export_statement declaration: (_ name: (_) @export))
  (export_statement declaration: (_ (variable_declarator name: [
    (identifier) @export
    (array_pattern (identifier) @export)
    (object_pattern [(shorthand_property_identifier_pattern) @export (pair_pattern value: (identifier) @export)])
  ])))
  (assignment_expression left: (member_expression object: (_) @_object property: (_) @export)
    (#any-of? @_object "exports" "module.exports"))
  (assignment_expression left: (member_expression) @export (#eq? @export "module.exports"))
  (call_expression function: (_) @_callee arguments: (arguments . (_) @_object . (string) @export)
    (#eq? @_callee "Object.defineProperty") (#any-of? @_object "exports" "module.exports"))
`;

export const TYPESCRIPT_LINKS = `
  (import_statement (import_require_clause source: (string) @import))
  (export_statement "=" @export)
  (export_statement declaration: (ambient_declaration [
    (_ name: (_) @export)
    (_ (variable_declarator name: (identifier) @export))
  ]))
`;
