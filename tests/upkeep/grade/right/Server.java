// A right server, for the tests of the grader: Java, a thread for each client.
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

class Server {
    static void serve(Socket client) {
        byte[] buffer = new byte[8192];
        try (client) {
            if (client.getInputStream().read(buffer) > 0) {
                client.getOutputStream().write("ack\n".getBytes());
            }
            client.shutdownOutput();
            while (client.getInputStream().read(buffer) > 0) { }
        } catch (IOException e) {
            // it is gone
        }
    }

    public static void main(String[] arguments) throws Exception {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0)));
        ExecutorService threads = Executors.newCachedThreadPool();
        ServerSocket listener = new ServerSocket(Integer.parseInt(arguments[1]), 50, InetAddress.getLoopbackAddress());
        System.out.println("listening on 127.0.0.1:" + listener.getLocalPort());
        while (true) {
            try {
                Socket client = listener.accept();
                threads.execute(() -> serve(client));
            } catch (IOException e) {
                Thread.sleep(10);
            }
        }
    }
}
