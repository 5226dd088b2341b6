export async function copyCurl(_id: number): Promise<void> {}
