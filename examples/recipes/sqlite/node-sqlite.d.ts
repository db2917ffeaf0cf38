/** The part of Node 22's module that the recipe uses: the project's types are those of Node 20. */
declare module "node:sqlite" {
  export interface StatementSync {
    run(...values: unknown[]): { changes: number | bigint };
    get(...values: unknown[]): Record<string, unknown> | undefined;
  }
  export class DatabaseSync {
    constructor(path: string);
    exec(sql: string): void;
    prepare(sql: string): StatementSync;
    close(): void;
  }
}
