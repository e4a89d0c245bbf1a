import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

public final class DrawingTest {
    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static Process mock;
    private static String url;

    // with JUnit: @BeforeAll
    static void start() throws IOException {
        mock = new ProcessBuilder("quickrouter-contract", "mock", "--port", "0")
            .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        url = new BufferedReader(new InputStreamReader(mock.getInputStream())).readLine();
        if (url == null) throw new IOException("the mock did not start");
    }

    // with JUnit: @AfterAll
    static void stop() {
        mock.destroy();
    }

    // with JUnit: @AfterEach
    static void judge() throws Exception {
        try {
            verify("{\"violated\": true, \"times\": 0}"); // also where the program swallowed the refusal
        } finally {
            admin("POST", "reset", "");
        }
    }

    static HttpResponse<String> admin(String method, String path, String value) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url + "/__admin/" + path))
            .method(method, BodyPublishers.ofString(value)).build();
        return HTTP.send(request, BodyHandlers.ofString());
    }

    static void verify(String asked) throws Exception {
        HttpResponse<String> answer = admin("POST", "verify", asked);
        if (answer.statusCode() != 200) throw new AssertionError(answer.body());
    }

    // Your program.
    static int draw(String base, int images) throws Exception {
        String body = "{\"model\": \"gpt-image-1.5\", \"prompt\": \"a man walks\", \"n\": " + images
            + ", \"size\": \"1024x1536\"}";
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + "/v1/images/generations"))
            .header("Authorization", "Bearer any").header("Accept", "application/json")
            .header("Content-Type", "application/json").POST(BodyPublishers.ofString(body)).build();
        return HTTP.send(request, BodyHandlers.discarding()).statusCode();
    }

    // with JUnit: @Test
    static void twoImagesAreAskedFor() throws Exception {
        String images = System.getenv().getOrDefault("IMAGES", "2");
        draw(url, Integer.parseInt(images));
        verify("{\"path\": \"/v1/images/generations\", \"times\": 1}");
    }

    // with JUnit: @Test
    static void aRefusalForTheRateIsSeen() throws Exception {
        admin("PUT", "scenarios", "{\"name\": \"rate-limited\"}");
        if (draw(url, 1) != 429) throw new AssertionError("429 expected");
    }

    public static void main(String[] arguments) throws Exception {
        start();
        try {
            twoImagesAreAskedFor();
            judge();
            aRefusalForTheRateIsSeen();
            judge();
            System.out.println("2 tests passed");
        } finally {
            stop();
        }
    }
}
