export type Greeting = `hello ${string}`;

export const greet = (name: string): Greeting => `hello ${name}`;
