export function DeliveryPage({ id }: { id: string }) {
  return <h1>Delivery {id}</h1>
}
